"""Small folders in the public layouts, for the readers' tests."""

from pathlib import Path

import numpy as np
from PIL import Image

from maskvos.storage.masks import write_mask


def write_images(folder: Path, frames: list[str], suffix: str = ".jpg") -> None:
    """Frame i is a plain image whose red is 10 * i."""
    folder.mkdir(parents=True)
    for index, frame in enumerate(frames):
        Image.new("RGB", (12, 8), (10 * index, 100, 200)).save(folder / f"{frame}{suffix}", quality=95)


def write_masks(folder: Path, masks: dict[str, list[int]]) -> None:
    """Frame -> the ids in it, one pixel each."""
    for frame, ids in masks.items():
        mask = np.zeros((8, 12), np.uint8)
        mask[0, : len(ids)] = ids
        write_mask(folder / f"{frame}.png", mask)
