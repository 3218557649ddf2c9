"""Bilinear resampling of axis-aligned boxes as two matrix products.

grid_sample and interpolate have no deterministic backward on CUDA (pytorch#68961, #68959); crops, flips and scalings
are separable, so two small matrices do the same exactly and reproducibly.
"""

import torch
from torch import Tensor


def interpolation_matrix(start: Tensor, length: Tensor, flip: Tensor, source: int, target: int) -> Tensor:
    """Matrices that read ``target`` samples from intervals of a ``source``-pixel axis.

    Args:
        start: (B,) beginning of the interval as a fraction of the axis, in [0, 1].
        length: (B,) its length as a fraction; start + length <= 1 keeps every sample inside.
        flip: (B,) bool, whether the interval is read backwards.
        source: pixels of the axis that is read.
        target: pixels that are produced.

    Returns:
        (B, target, source) float32, rows sum to 1; pixel centres as in ``align_corners=False``, clamped at the borders.
    """
    centres = (torch.arange(target, device=start.device, dtype=torch.float32) + 0.5) / target
    centres = torch.where(flip[:, None], 1 - centres, centres)
    positions = (start[:, None] + length[:, None] * centres) * source - 0.5
    positions = positions.clamp(0, source - 1)
    pixels = torch.arange(source, device=start.device, dtype=torch.float32)
    # The triangle kernel: weight 1 at the pixel's centre, 0 one pixel away.
    return (1 - (positions[..., None] - pixels).abs()).clamp_min(0)


def antialiased_matrix(length: Tensor, flip: Tensor, source: int, target: int) -> Tensor:
    """Matrices that resize the first ``length`` pixels of an axis to ``target``, without aliasing where they shrink.

    Args:
        length: (B,) pixels, 1 to ``source``; those behind are not looked at.
        flip: (B,) bool, whether they are read backwards.
        source: pixels of the axis.
        target: pixels that are produced.

    Returns:
        (B, target, source) float32, rows sum to 1: the triangle kernel of Pillow and of torch's ``interpolate`` with
        ``antialias=True``, as wide as a target pixel and at least as wide as a source pixel.
    """
    scale = (length / target)[:, None]
    centres = (torch.arange(target, device=length.device, dtype=torch.float32) + 0.5) * scale
    centres = torch.where(flip[:, None], length[:, None] - centres, centres)
    pixels = torch.arange(source, device=length.device, dtype=torch.float32)
    distances = (centres[..., None] - (pixels + 0.5)).abs() / scale.clamp_min(1)[..., None]
    weights = (1 - distances).clamp_min(0) * (pixels < length[:, None])[:, None]
    return weights / weights.sum(-1, keepdim=True)


def resample(maps: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """(B, C, H, W) with (B, H', H) and (B, W', W) -> (B, C, H', W'), in float32."""
    with torch.autocast(maps.device.type, enabled=False):
        return rows[:, None] @ maps.float() @ columns[:, None].transpose(-1, -2)


def enlarge(maps: Tensor, factor: int) -> Tensor:
    """(B, C, H, W) -> (B, C, factor H, factor W): bilinear, ``align_corners=False``, with a deterministic backward."""
    height, width = maps.shape[-2:]
    zero, one = torch.zeros(1, device=maps.device), torch.ones(1, device=maps.device)
    forward = torch.zeros(1, dtype=torch.bool, device=maps.device)
    rows = interpolation_matrix(zero, one, forward, height, factor * height)
    columns = interpolation_matrix(zero, one, forward, width, factor * width)
    return resample(maps, rows, columns)
