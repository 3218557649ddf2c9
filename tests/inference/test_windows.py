"""Windows against a loop over all pairs of cells."""

import math

import pytest
import torch

from maskvos.inference import windows
from maskvos.inference.windows import plan_windows
from tests.inference.stubs import CPU


@pytest.fixture(autouse=True)
def fresh():
    yield
    windows.plan_windows.cache_clear()
    windows._tiles.cache_clear()


def pairs(plan):
    """Query cell -> the reference cells that are not outside, and how often each query cell is found."""
    found = {}
    for batch in plan.batches:
        for tile in range(len(batch.queries)):
            for row, query in enumerate(batch.queries[tile].tolist()):
                near = batch.reached[tile][~batch.outside[tile, row]].tolist()
                if near:  # padding reaches nothing
                    assert query not in found
                    found[query] = sorted(near)
    return found


@pytest.mark.parametrize(("height", "width", "radius"), [(7, 5, 3), (23, 31, 4), (1, 40, 12), (11, 13, 1)])
@pytest.mark.parametrize("scores", [1, 10**4, 10**9])
def test_each_query_reaches_the_cells_within_the_radius_once(monkeypatch, height, width, radius, scores):
    monkeypatch.setitem(windows.SCORES, "cpu", scores)
    found = pairs(plan_windows(height, width, radius, 3, CPU))
    for y in range(height):
        for x in range(width):
            near = [v * width + u for v in range(height) for u in range(width) if math.hypot(y - v, x - u) < radius]
            assert found[y * width + x] == near
    assert len(found) == height * width


@pytest.mark.parametrize("scores", [1, 10**4, 10**9])
def test_place_puts_results_back_in_order(monkeypatch, scores):
    monkeypatch.setitem(windows.SCORES, "cpu", scores)
    plan = plan_windows(23, 31, 4, 3, CPU)
    results = torch.cat([batch.queries.flatten() for batch in plan.batches])
    assert torch.equal(results[plan.place], torch.arange(23 * 31))


def test_batches_stay_below_the_limit(monkeypatch):
    monkeypatch.setitem(windows.SCORES, "cpu", 200_000)
    plan = plan_windows(60, 60, 3, 2, CPU)
    assert 1 < len(plan.batches) < 30
    assert all(2 * batch.outside.numel() <= 200_000 for batch in plan.batches)
