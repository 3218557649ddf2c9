"""The engine against a dense float64 loop written from the protocol."""

import math

import numpy as np
import pytest
import torch

from maskvos.inference import matching, windows
from maskvos.inference.matching import Affinity, match, readout
from maskvos.inference.windows import plan_windows
from tests.inference.dense import dense, unit


def clear_plans():
    windows.plan_windows.cache_clear()
    windows._tiles.cache_clear()


def spread(affinity, columns):
    """The engine's sparse answer as a dense float64 array."""
    result = np.zeros((len(affinity.indices), columns))
    for row, (indices, weights) in enumerate(zip(affinity.indices.numpy(), affinity.weights.numpy(), strict=True)):
        np.add.at(result[row], indices, weights.astype(float))
    return result


CASES = [
    # height, width, first, recent, top_k, radius, first_radius
    (5, 7, [3], [0, 1, 2], 4, 3, None),
    (6, 4, [0], [], 5, 2, None),
    (9, 8, [3], [0, 1], 5, 2, 4),
    (6, 14, [0, 2], [1], 6, 4, 2),
    (5, 6, [1], [], 4, 3, 2),
    (9, 5, [2], [1, 0], 10, 1, None),
    (14, 15, [1], [0], 6, 12, None),
    (3, 3, [0], [1], 40, 2, None),  # fewer candidates than top_k
    (7, 6, [], [0, 2], 3, 4, 2),
    (4, 30, [0, 2], [1], 7, 5, None),
    (5, 6, [1], [0, 1, 1], 6, 2, None),  # copies of the first frame have a radius, the first frame itself has none
]


@pytest.mark.parametrize(("height", "width", "first", "recent", "top_k", "radius", "first_radius"), CASES)
def test_engine_is_exact(height, width, first, recent, top_k, radius, first_radius):
    rng = np.random.default_rng(height * 100 + width)
    query, keys = unit(rng, height, width, 8), unit(rng, 4, height, width, 8)
    table = rng.random((4 * height * width, 3))
    expected = dense(query, keys, first, recent, top_k, radius, 0.07, first_radius)
    tensors = torch.tensor(query).float(), torch.tensor(keys).float()
    affinity = match(*tensors, first, recent, top_k, radius, 0.07, first_radius)
    np.testing.assert_allclose(spread(affinity, len(table)), expected, atol=1e-5)
    gathered = readout(affinity, torch.tensor(table).float())
    np.testing.assert_allclose(gathered.numpy(), expected @ table, atol=1e-5)


@pytest.mark.parametrize(
    ("tile", "chunk", "scores"), [((1, 4), 1, 1), ((3, 2), 50, 1000), ((4, 3), 7, 1 << 30), ((100, 100), 1 << 24, 1)]
)
def test_tiles_chunks_and_batches_change_nothing(monkeypatch, tile, chunk, scores):
    rng = np.random.default_rng(3)
    query = torch.tensor(unit(rng, 6, 7, 8)).float()
    keys = torch.tensor(unit(rng, 3, 6, 7, 8)).float()
    usual = match(query, keys, [2], [0, 1], 5, 4, 0.05)
    monkeypatch.setattr(windows, "TILE", tile)
    monkeypatch.setitem(windows.SCORES, "cpu", scores)
    monkeypatch.setitem(matching.CHUNK, "cpu", chunk)
    clear_plans()
    other = match(query, keys, [2], [0, 1], 5, 4, 0.05)
    clear_plans()
    assert torch.equal(usual.indices, other.indices)
    torch.testing.assert_close(usual.weights, other.weights)


def test_radius_is_a_strict_euclidean_distance():
    """One reference cell is the perfect match for all; only those closer than the radius may take it."""
    query = torch.zeros(11, 11, 2)
    query[..., 0] = 1
    keys = torch.zeros(1, 11, 11, 2)
    keys[..., 1] = 1
    keys[0, 5, 5] = torch.tensor([1.0, 0.0])
    affinity = match(query, keys, [], [0], 1, 3, 0.05)
    found = (affinity.indices[:, 0] == 5 * 11 + 5).view(11, 11)
    for y in range(11):
        for x in range(11):
            assert found[y, x] == (math.hypot(y - 5, x - 5) < 3), (y, x)
    assert (match(query, keys, [0], [], 1, 3, 0.05).indices == 5 * 11 + 5).all()  # no radius on the first frame


def test_order_of_references_does_not_matter():
    rng = np.random.default_rng(5)
    query = torch.tensor(unit(rng, 6, 6, 8)).float()
    keys = torch.tensor(unit(rng, 4, 6, 6, 8)).float()
    one = spread(match(query, keys, [3], [0, 1, 2], 5, 4, 0.05), 4 * 36)
    two = spread(match(query, keys, [3], [2, 0, 1], 5, 4, 0.05), 4 * 36)
    np.testing.assert_allclose(one, two, atol=1e-6)


def test_a_slot_named_twice_counts_twice():
    rng = np.random.default_rng(6)
    query, keys = unit(rng, 5, 5, 8), unit(rng, 2, 5, 5, 8)
    expected = dense(query, keys, [], [0, 1, 1], 4, 3, 0.05)
    got = match(torch.tensor(query).float(), torch.tensor(keys).float(), [], [0, 1, 1], 4, 3, 0.05)
    np.testing.assert_allclose(spread(got, 50), expected, atol=1e-5)


def test_local_references_never_build_the_dense_matrix(monkeypatch):
    """The largest product of a tile stays far below queries x references."""
    largest = 0
    original = torch.bmm

    def watched(left, right):
        nonlocal largest
        product = original(left, right)
        largest = max(largest, product.numel())
        return product

    monkeypatch.setattr(torch, "bmm", watched)
    match(torch.rand(40, 60, 4), torch.rand(5, 40, 60, 4), [], range(5), 10, 6, 0.05)
    assert 0 < largest < (40 * 60) * (5 * 40 * 60) / 50


def test_readout_is_a_weighted_sum():
    affinity = Affinity(torch.tensor([[0, 2], [1, 1]]), torch.tensor([[0.25, 0.75], [0.5, 0.5]]))
    table = torch.tensor([[4.0], [8.0], [12.0]])
    assert readout(affinity, table).tolist() == [[10.0], [8.0]]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_finds_the_same():
    rng = np.random.default_rng(8)
    query, keys = torch.tensor(unit(rng, 33, 41, 32)).float(), torch.tensor(unit(rng, 6, 33, 41, 32)).float()
    here = spread(match(query, keys, [5], [0, 1, 2, 3, 4], 10, 6, 0.05), 6 * 33 * 41)
    there = match(query.cuda(), keys.cuda(), [5], [0, 1, 2, 3, 4], 10, 6, 0.05)
    assert len(plan_windows(33, 41, 6, 5, torch.device("cuda")).batches) == 1
    np.testing.assert_allclose(
        spread(Affinity(there.indices.cpu(), there.weights.cpu()), here.shape[1]), here, atol=1e-4
    )
