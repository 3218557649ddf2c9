"""The round before: which file it is, and how far its pseudo masks agree."""

import numpy as np
import pytest
import torch

from maskvos.errors import UserError
from maskvos.learning.round_before import compare, read_previous, round_before
from maskvos.storage.weights import save_weights

LABELS = np.random.default_rng(1).integers(0, 4, (2, 5, 6), dtype=np.uint8)


def test_agreement_is_one_for_the_same_masks_whatever_their_numbers():
    renamed = torch.from_numpy((LABELS + 1) % 4)
    assert compare(LABELS, renamed) == {"agreement": 1.0}


def test_no_agreement_without_a_clip_or_on_another_grid():
    assert compare(LABELS, None) == {}
    assert compare(LABELS, torch.zeros(2, 5, 7, dtype=torch.uint8)) == {}


def test_it_lies_beside_the_weights_and_is_never_the_output(tmp_path):
    beside = tmp_path / "pseudo_masks.safetensors"
    assert round_before(tmp_path / "weights", tmp_path / "other.safetensors") is None
    save_weights(beside, {"a": torch.zeros(1)}, {"kind": "pseudo_masks"})
    assert round_before(tmp_path / "weights", tmp_path / "other.safetensors") == beside
    assert round_before(tmp_path / "weights", beside) is None


def test_another_kind_of_file_is_an_error(tmp_path):
    assert read_previous(None) == {}
    save_weights(tmp_path / "file.safetensors", {"a": torch.zeros(1)}, {"kind": "encoder"})
    with pytest.raises(UserError, match="expected pseudo masks"):
        read_previous(tmp_path / "file.safetensors")
