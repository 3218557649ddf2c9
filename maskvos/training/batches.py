"""Batches on their way from the loader's processes to training: one block of memory each.

Every tensor that passes from one process to another costs a file, a mapping and a round trip; a batch of the
segmentation stage has 13.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import get_worker_info

ALIGNMENT = 64  # bytes, a cache line
Layout = tuple[tuple[str, torch.dtype, tuple[int, ...], int], ...]
"""Of each tensor its name, type, shape and first byte in the block."""


def stack(samples: Iterable[dict[str, Any]], count: int) -> tuple[Tensor, Layout]:
    """Samples stacked to a batch, each as soon as it is made: its memory is warm still, and serves the next one.

    Args:
        samples: ``count`` of them, of the same names, types and shapes; numbers count as tensors.
        count: of samples.

    Returns:
        the block (uint8), in a process of the loader where the training process finds it without a copy; the layout.
    """
    block, views = torch.empty(0, dtype=torch.uint8), {}
    layout: Layout = ()
    for place, sample in enumerate(samples):
        tensors = {name: torch.as_tensor(value) for name, value in sample.items()}
        if place == 0:
            block, layout = _make_room(tensors, count)
            views = unpack(block, layout)
        for name, tensor in tensors.items():
            views[name][place] = tensor
    return block, layout


def unpack(block: Tensor, layout: Layout) -> dict[str, Tensor]:
    """The batch's tensors by name, each (B, ...); they share the block's memory."""
    return {name: _part(block, dtype, shape, first) for name, dtype, shape, first in layout}


def _part(block: Tensor, dtype: torch.dtype, shape: tuple[int, ...], first: int) -> Tensor:
    size = dtype.itemsize * torch.Size(shape).numel()
    return block[first : first + size].view(dtype).view(shape)


def _make_room(tensors: dict[str, Tensor], count: int) -> tuple[Tensor, Layout]:
    layout, end = [], 0
    for name, tensor in tensors.items():
        layout.append((name, tensor.dtype, (count, *tensor.shape), end))
        end += -(-count * tensor.nbytes // ALIGNMENT) * ALIGNMENT
    block = torch.empty(0, dtype=torch.uint8)
    if get_worker_info() is None:
        return block.new_empty(end), tuple(layout)
    return block.new(block.untyped_storage()._new_shared(end)), tuple(layout)
