"""The benchmarks of inference run, and what they compare is the same thing."""

import pytest
import torch

from benchmarks.inference import best_time
from benchmarks.inference_matching import compare, products
from benchmarks.inference_memory import follow
from benchmarks.inference_model import FullTracker, build, timed_parts
from tests.inference.stubs import CPU, settings
from tests.tiny import networks


def test_both_implementations_of_matching_agree():
    found = compare((13, 17), 16, 3, CPU, lambda function: best_time(function, 1, CPU))
    assert found["difference"] < 1e-5
    assert found["dense"] > 0 < found["engine"]
    assert found["gflop"] < found["dense_gflop"] == pytest.approx(2e-9 * 16 * (13 * 17) ** 2 * 4)


def test_products_of_a_grid_within_one_tile():
    """9 cells, all within reach of one another: 2 references by window and one whole."""
    assert products(3, 3, 5, 2, CPU) == pytest.approx(1e-9 * 2 * 5 * (2 * 81 + 81))


@pytest.mark.parametrize("fine", [0.0, 0.3])
def test_a_full_tracker_has_all_its_references_and_times_its_parts(fine):
    tracker = FullTracker(build(networks(), CPU), settings(layer1_weight=fine), (40, 64), 2, CPU, "fp32")
    assert tracker.tracker.memory.count == settings().references + 1
    with timed_parts(tracker) as parts:
        tracker.step()
    assert set(parts) == {"E", "matching", "parts of cells", "readout", "V", "D"}
    assert all(seconds > 0 for seconds in parts.values())
    before = dict(parts)
    tracker.step()
    assert parts == before  # the watch is off
    assert tracker.operations() > 0


def test_memory_is_read_along_the_way():
    rows = follow(build(networks(), CPU), settings(references=2), 10, torch.device("cpu"))
    assert [count for count, _ in rows] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert all(used > 1 for _, used in rows)
