"""The pseudo masks of one clip in a folder of their own: what an interrupted re-clustering goes on behind."""

from pathlib import Path

import torch

from maskvos.learning.pseudo_masks import PseudoMasks
from maskvos.storage.descriptions import FILE
from maskvos.storage.weights import load_weights, save_weights


def write_pseudo_masks(folder: Path, masks: PseudoMasks) -> None:
    """All of it, exactly."""
    numbers = {"sizes": masks.sizes, "kept": masks.kept, "iterations": masks.iterations, "objective": masks.objective}
    save_weights(folder / FILE, {"labels": torch.from_numpy(masks.labels)}, {"kind": "clip", **numbers})


def read_pseudo_masks(folder: Path) -> PseudoMasks:
    """What `write_pseudo_masks` wrote."""
    tensors, numbers = load_weights(folder / FILE)
    names = ("sizes", "kept", "iterations", "objective")
    return PseudoMasks(tensors["labels"].numpy(), *(numbers[name] for name in names))
