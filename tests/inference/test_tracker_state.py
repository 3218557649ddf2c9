"""A tracker that is written to a file and read again goes on with the same numbers."""

import numpy as np
import pytest
import torch

from maskvos.inference.methods import LabelPropagation, MaskEmbedding
from maskvos.inference.propagate import Tracker
from maskvos.inference.tracker_state import load_state, read_header, save_state
from maskvos.networks.model import MaskVOS
from tests.inference.stubs import CPU, colours, moving_square, settings
from tests.tiny import networks


def make_tracker(full, given, fine=False):
    torch.manual_seed(0)
    chosen = settings(layer1_weight=0.3 if fine else 0.0)
    method = MaskEmbedding.from_settings(MaskVOS(networks()), chosen, "fp32") if full else LabelPropagation(colours)
    return Tracker(method, (64, 96), given, chosen, CPU)


@pytest.mark.parametrize(("full", "fine"), [(True, False), (False, False), (True, True)])
@pytest.mark.parametrize("stop", [1, 2, 3, 5, 6])
@torch.inference_mode()
def test_the_rest_is_the_same_to_the_bit(tmp_path, full, fine, stop):
    """Stopped before the first mask, before and after the second, and after the ring of 3 has gone round."""
    frames, masks = moving_square(7)
    late = np.zeros((64, 96), np.uint8)
    late[50:60, 10:30] = 4
    given = {"00001": masks[1], "00003": late}
    whole = make_tracker(full, given, fine)
    expected = [whole.step(*frame) for frame in frames]
    first = make_tracker(full, given, fine)
    for frame in frames[:stop]:
        first.step(*frame)
    save_state(tmp_path / "state", first.memory, {"done": stop})
    second = make_tracker(full, given, fine)
    load_state(tmp_path / "state", second)
    assert read_header(tmp_path / "state")["done"] == stop
    for frame, right in zip(frames[stop:], expected[stop:], strict=True):
        prediction = second.step(*frame)
        np.testing.assert_array_equal(prediction.ids, right.ids)
        assert torch.equal(prediction.probabilities, right.probabilities)


def test_no_file(tmp_path):
    assert read_header(tmp_path / "state") is None


@torch.inference_mode()
def test_the_same_state_has_the_same_bytes_and_none_is_left_out(tmp_path):
    frames, masks = moving_square(3)
    tracker = make_tracker(True, {"00000": masks[0]})
    for frame in frames:
        tracker.step(*frame)
    for name in ("a", "b"):
        save_state(tmp_path / name, tracker.memory, {})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    described = read_header(tmp_path / "a")["tensors"]
    assert described["values"]["shape"] == list(tracker.memory.values.shape)
    sizes = sum(value.nbytes for value in vars(tracker.memory).values() if isinstance(value, torch.Tensor))
    assert (tmp_path / "a").stat().st_size == sizes + (tmp_path / "a").read_bytes().index(b"\n") + 1
