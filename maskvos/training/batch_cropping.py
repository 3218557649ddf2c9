"""The crops of training clips, seen on the device: a whole batch resampled as two matrix products for each frame.

The loader's processes decode and cut squares out of frames, nothing more; resizing took a third of their time. The
device does it for the batch, deterministically (`maskvos.networks.resample`). A CPU does the same sums: a sample means
the same wherever it is seen, but for the last bits that any sum on another device may differ in.
"""

from collections.abc import Callable, Sequence

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


def cut_frames(read: Callable[[int], np.ndarray], frames: Sequence[int], crop: Crop, room: int) -> Sample:
    """One crop of some frames of a clip, as they are stored.

    Args:
        read: frame number -> (H, W, 3) uint8 RGB.
        frames: their numbers.
        crop: of all of them.
        room: side of the square that each cut is laid into (``largest_cut``), so that samples can be stacked.

    Returns:
        ``cuts`` (T, room, room, 3) uint8, zero where the cut ends; ``cut_side`` its pixels; ``cut_flip`` bool.
    """
    cuts = torch.zeros(len(frames), room, room, 3, dtype=torch.uint8)
    for place, number in zip(cuts.numpy(), frames, strict=True):
        image = read(number)
        place[: crop.side, : crop.side] = image[crop.top : crop.top + crop.side, crop.left : crop.left + crop.side]
    return {"cuts": cuts, "cut_side": torch.tensor(crop.side), "cut_flip": torch.tensor(crop.flip)}


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
