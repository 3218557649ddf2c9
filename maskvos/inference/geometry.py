"""Sizes at inference: original image, working resolution, feature grid, and the ways between them.

The stride, pixels from one cell of the features to the next, is 8 but for converted networks with another. Images are
padded at the right and the bottom to a multiple of it. Padding is always less than one cell, so
every cell of the grid holds real pixels and no reference cell is made of padding alone; masks of cells are means over
their real pixels only. Parts of cells can be padding alone and then repeat the mask beside them.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

STRIDE = 8


@dataclass(frozen=True)
class Geometry:
    """``original`` and ``working`` (height, width) of a video; the grid follows from them and the stride."""

    original: tuple[int, int]
    working: tuple[int, int]
    stride: int = STRIDE

    @property
    def grid(self) -> tuple[int, int]:
        """Cells (h, w) of the feature maps."""
        return -(-self.working[0] // self.stride), -(-self.working[1] // self.stride)


def plan_geometry(height: int, width: int, short_side: int | None, stride: int = STRIDE) -> Geometry:
    """The working resolution: native, or the short side resized to ``short_side`` with the aspect kept."""
    if short_side is None:
        return Geometry((height, width), (height, width), stride)
    scale = short_side / min(height, width)
    return Geometry((height, width), (max(1, round(height * scale)), max(1, round(width * scale))), stride)


def working_picture(image: np.ndarray, geometry: Geometry, device: torch.device) -> Tensor:
    """(H, W, 3) uint8 -> (1, 3, H', W') uint8 at working resolution, antialiased, on ``device``."""
    picture = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]
    return _resize(picture.float(), geometry.working).round().to(torch.uint8).to(device)


def working_masks(ids: np.ndarray, objects: list[int], geometry: Geometry, device: torch.device) -> Tensor:
    """(H, W) ids -> (K, H', W') masks of ``objects`` in [0, 1] at working resolution."""
    labels = torch.from_numpy(np.ascontiguousarray(ids))
    masks = torch.stack([labels == identity for identity in objects]).float()
    return _resize(masks[None], geometry.working)[0].to(device)


def pad_to_stride(maps: Tensor, mode: str = "constant", stride: int = STRIDE) -> Tensor:
    """(N, C, H', W') -> (N, C, stride h, stride w): zeros, or what ``mode`` says, at the right and the bottom."""
    height, width = maps.shape[-2:]
    return functional.pad(maps, (0, -width % stride, 0, -height % stride), mode=mode)


def to_grid(masks: Tensor, stride: int = STRIDE, side: int = 1) -> Tensor:
    """(K, H', W') -> (K, side h, side w): means over the real pixels of each of the side x side parts of a cell; a part
    of padding alone repeats the one beside it."""
    width = stride // side
    share = functional.avg_pool2d(pad_to_stride(torch.ones_like(masks[:1])[None], stride=width), width)
    parts = functional.avg_pool2d(pad_to_stride(masks[None], stride=width), width) / share
    return pad_to_stride(parts, "replicate", side)[0]


def to_working(cells: Tensor, geometry: Geometry) -> Tensor:
    """(K, h, w), or the parts of such cells (K, side h, side w), -> (K, H', W'), bilinear; the padding is cut off."""
    width = geometry.stride * geometry.grid[0] // cells.shape[1]
    enlarged = functional.interpolate(cells[None], scale_factor=width, mode="bilinear", align_corners=False)
    return enlarged[0, :, : geometry.working[0], : geometry.working[1]]


def to_labels(probabilities: Tensor, geometry: Geometry) -> np.ndarray:
    """(K+1, H', W') -> (H, W) uint8 number of the most probable class at original resolution (0 is background)."""
    resized = probabilities[None]
    if geometry.working != geometry.original:
        resized = functional.interpolate(resized, geometry.original, mode="bilinear", align_corners=False)
    best, labels = resized[0, 0], torch.zeros(geometry.original, dtype=torch.uint8, device=resized.device)
    for number, probability in enumerate(resized[0, 1:], 1):  # argmax over the first dimension takes ten times as long
        labels.masked_fill_(probability > best, number)
        best = torch.maximum(best, probability)
    return labels.cpu().numpy()


def _resize(maps: Tensor, size: tuple[int, int]) -> Tensor:
    if tuple(maps.shape[-2:]) == size:
        return maps
    return functional.interpolate(maps, size, mode="bilinear", align_corners=False, antialias=True)
