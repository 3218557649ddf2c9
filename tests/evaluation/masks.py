"""Random id maps with what trips evaluators: empty masks, borders, single pixels, odd sizes, gaps between ids."""

from pathlib import Path

import numpy as np
from PIL import Image

from maskvos.storage.masks import PALETTE


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
    folder.mkdir(parents=True, exist_ok=True)
    for frame, mask in zip(frames, masks, strict=True):
        image = Image.fromarray(mask)  # not by write_mask, which waits for the disk
        image.putpalette(PALETTE.tobytes())
        image.save(folder / f"{frame}.png")
    return frames


def random_sequence(random: np.random.Generator, height: int, width: int, ids: list[int], count: int):
    """(truth, prediction), ``count`` masks each: objects appear, vanish for good, leave by the border, are confused.

    The first mask of the truth holds every id where there is room; void (255) lies about in the truth only.
    """
    truth = [random_ids(random, height, width, ids) for _ in range(count)]
    gone = {identity: random.integers(1, 2 * count) for identity in ids}
    for index, mask in enumerate(truth):
        mask[np.isin(mask, [identity for identity in ids if gone[identity] <= index])] = 0
        if random.random() < 0.3:
            mask[random.random((height, width)) < 0.05] = 255
    truth[0].ravel()[: len(ids)] = ids[: truth[0].size]
    return truth, [_spoil(random, mask, ids) for mask in truth]


def _spoil(random: np.random.Generator, mask: np.ndarray, ids: list[int]) -> np.ndarray:
    """A prediction: the truth itself, shifted, with ids exchanged, empty, or something else altogether."""
    known = np.where(mask == 255, 0, mask)
    kind = random.integers(0, 6)
    if kind == 0:
        return known
    if kind < 3:
        return np.roll(known, random.integers(-2, 3, 2), (0, 1))
    if kind == 3:
        exchanged = np.zeros(256, np.uint8)
        exchanged[ids] = random.permutation(ids)
        return exchanged[known]
    return np.zeros_like(known) if kind == 4 else random_ids(random, *known.shape, ids)


def make_dataset(root: Path, sequences: dict[str, list[np.ndarray]]) -> Path:
    """A ground truth in DAVIS layout."""
    for name, masks in sequences.items():
        write_sequence(root / "Annotations" / "480p" / name, masks)
    split = root / "ImageSets" / "2017" / "val.txt"
    split.parent.mkdir(parents=True)
    split.write_text("\n".join(sequences) + "\n")
    return root


def with_first(random: np.random.Generator, size: tuple[int, int], ids: list[int], count: int) -> list[np.ndarray]:
    """Random masks whose first one certainly holds every id."""
    masks = [random_ids(random, *size, ids) for _ in range(count)]
    masks[0][0, : len(ids)] = ids
    return masks
