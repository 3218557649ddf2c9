"""Files of pseudo masks: only those of the frames at hand are learned from."""

import pytest
import torch

from maskvos.errors import UserError
from maskvos.learning.pseudo_mask_files import load_pseudo_masks
from maskvos.storage.weights import save_weights

LABELS = torch.arange(24, dtype=torch.uint8).reshape(2, 3, 4)


def test_what_was_written_comes_back(tmp_path):
    path, description = tmp_path / "masks.safetensors", {"kind": "pseudo_masks", "frames": "abc", "round": 1}
    save_weights(path, {"clip": LABELS}, description)
    for frames in (None, "abc"):
        masks, found = load_pseudo_masks(path, frames)
        assert list(masks) == ["clip"] and torch.equal(masks["clip"], LABELS)
        assert description.items() <= found.items()


@pytest.mark.parametrize(
    ("description", "words"),
    [
        ({"kind": "encoder", "frames": "abc"}, r"masks\.safetensors: holds 'encoder', expected pseudo masks"),
        ({"kind": "pseudo_masks", "frames": "abd"}, r"masks\.safetensors: pseudo masks of other frames.*Run recluster"),
        ({"kind": "pseudo_masks"}, "other frames"),
    ],
)
def test_others_are_an_error(tmp_path, description, words):
    save_weights(tmp_path / "masks.safetensors", {"clip": LABELS}, description)
    with pytest.raises(UserError, match=words):
        load_pseudo_masks(tmp_path / "masks.safetensors", "abc")
