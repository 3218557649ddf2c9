"""The crops of training clips, seen on the device: a whole batch resampled as two matrix products for each frame.

The loader's processes decode and cut squares out of frames, nothing more; resizing took a third of their time. The
device does it for the batch, deterministically (`maskvos.networks.resample`). A CPU does the same sums: a sample means
the same wherever it is seen, but for the last bits that any sum on another device may differ in.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from maskvos.networks.resample import antialiased_matrix, resample
from maskvos.params.method import Cropping
from maskvos.storage.frames import Clip
from maskvos.training.cropping import Crop
from maskvos.training.order import Sample


def largest_cut(clips: Sequence[Clip], cropping: Cropping) -> int:
    """Pixels of the side of the largest crop that `random_crop` may draw from these clips."""
    shorts = [min(clip.height, clip.width) for clip in clips]
    return max(min(round(cropping.crop * short / cropping.short_side[0]), short) for short in shorts)


@dataclass(frozen=True)
class Cuts:
    """(T, room, room, 3) uint8 crops, zero where they end; copied once only, to their place in a batch.

    Args:
        crops: T views of frames, each (side, side, 3) uint8 with side <= room.
        room: side of the square that each is laid into, so that samples can be stacked.
    """

    crops: list[np.ndarray]
    room: int
    dtype = np.dtype(np.uint8)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Of the whole."""
        return len(self.crops), self.room, self.room, 3

    def copy_to(self, place: np.ndarray) -> None:
        """Write all of an array of this shape."""
        for square, crop in zip(place, self.crops, strict=True):
            side = len(crop)
            square[:side, :side], square[:side, side:], square[side:] = crop, 0, 0

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        array = np.empty(self.shape, self.dtype)
        self.copy_to(array)
        return array


def cut_frames(read: Callable[[int], np.ndarray], frames: Sequence[int], crop: Crop, room: int) -> Sample:
    """One crop of some frames of a clip, as they are stored.

    Args:
        read: frame number -> (H, W, 3) uint8 RGB.
        frames: their numbers.
        crop: of all of them.
        room: side of the square that each cut is laid into (``largest_cut``).

    Returns:
        ``cuts``, `Cuts` of all frames; ``cut_side`` its pixels; ``cut_flip`` bool.
    """
    rows, columns = slice(crop.top, crop.top + crop.side), slice(crop.left, crop.left + crop.side)
    return {
        "cuts": Cuts([read(number)[rows, columns] for number in frames], room),
        "cut_side": crop.side,
        "cut_flip": crop.flip,
    }


def see_cuts(batch: Sample, size: int, name: str) -> Sample:
    """The batch with ``name`` (B, T, 3, size, size) float32 in [0, 255] in place of what ``cut_frames`` made.

    Bilinear, antialiased where it shrinks. A batch without cuts comes back as it is.
    """
    if "cuts" not in batch:
        return batch
    rest = {key: value for key, value in batch.items() if key not in ("cuts", "cut_side", "cut_flip")}
    return rest | {name: _see(batch["cuts"], batch["cut_side"], batch["cut_flip"], size)}


def _see(cuts: Tensor, sides: Tensor, flips: Tensor, size: int) -> Tensor:
    clips, count, room = cuts.shape[:3]
    rows = antialiased_matrix(sides, torch.zeros_like(flips), room, size)
    columns = antialiased_matrix(sides, flips, room, size)
    maps = cuts.permute(0, 1, 4, 2, 3).flatten(1, 2)  # (B, T 3, room, room)
    return resample(maps, rows, columns).view(clips, count, 3, size, size)
