"""Random id maps with what trips evaluators: empty masks, borders, single pixels, odd sizes, gaps between ids."""

from pathlib import Path

import numpy as np

from maskvos.storage.masks import write_mask


def random_ids(random: np.random.Generator, height: int, width: int, ids: list[int]) -> np.ndarray:
    """(height, width) uint8: each id as a box, a disk, a single pixel, noise, the whole image or nothing."""
    mask = np.zeros((height, width), np.uint8)
    y, x = np.mgrid[:height, :width]
    for identity in ids:
        top, left = random.integers(0, height), random.integers(0, width)
        size = random.integers(1, max(height, width) + 1)
        shapes = [
            (abs(y - top) < size / 2) & (abs(x - left) < size / 4),
            (y - top) ** 2 + (x - left) ** 2 < (size / 3) ** 2,
            (y == top) & (x == left),
            random.random((height, width)) < 0.05,
            np.ones((height, width), bool),
            np.zeros((height, width), bool),
        ]
        mask[shapes[random.choice(len(shapes), p=[0.3, 0.3, 0.1, 0.1, 0.05, 0.15])]] = identity
    return mask


def write_sequence(folder: Path, masks: list[np.ndarray], step: int = 1) -> list[str]:
    """One PNG a frame, numbered by ``step``; returns the frames' names."""
    frames = [f"{index * step:05d}" for index in range(len(masks))]
    for frame, mask in zip(frames, masks, strict=True):
        write_mask(folder / f"{frame}.png", mask)
    return frames
