"""Batches on their way from the loader's processes to training: one block of memory each, used again and again.

Every tensor that passes from one process to another costs a file, a mapping and a round trip; a batch of the
segmentation stage has 13. A block that is used again costs none of them, and its pages are in place already.
"""

import os
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import get_worker_info

ALIGNMENT = 64  # bytes, a cache line
Layout = tuple[tuple[str, torch.dtype, tuple[int, ...], int], ...]
"""Of each tensor its name, type, shape and first byte in the block."""


class Parcel(NamedTuple):
    """A batch as it travels. A named tuple, because torch's `DataLoader` then pins the block where it is asked to."""

    layout: Layout
    place: tuple[int, int] | None  # process and shelf of a block that will be used again; None: it comes each time
    block: Tensor | None  # None: the one that came from this place before


class Blocks:
    """What one process of the loader packs batches in: ``count`` blocks in turn.

    Args:
        count: a batch is overwritten by the one that is packed ``count`` after it.
        remembered: the receiver is `Arrivals` and remembers a block that it has seen; else each batch brings its own.
    """

    def __init__(self, count: int, remembered: bool) -> None:
        self.count, self.remembered = count, remembered
        self._blocks: dict[int, Tensor] = {}
        self._packed = 0

    def pack(self, samples: Iterable[dict[str, Any]], count: int) -> Parcel:
        """Samples stacked to a batch, each as soon as it is made: its memory is warm still, and serves the next one.

        Args:
            samples: ``count`` of them, of the same names, types and shapes: what ``np.asarray`` takes, or an object
                with ``shape``, ``dtype`` and ``copy_to(place)``, which writes itself into the batch.
            count: of samples.

        Returns:
            the batch, in a process of the loader where the training process finds it without a copy.
        """
        block, places = torch.empty(0, dtype=torch.uint8), {}
        layout: Layout = ()
        shelf, new = self._packed % self.count, True
        for number, sample in enumerate(samples):
            values = {name: value if hasattr(value, "copy_to") else np.asarray(value) for name, value in sample.items()}
            if number == 0:
                size, layout = _lay_out(values, count)
                block, new = self._room(shelf, size)
                places = {name: tensor.numpy() for name, tensor in unpack(block, layout).items()}
            for name, place in places.items():
                value = values[name]  # an entry that is missing must not leave what was there before
                if isinstance(value, np.ndarray):
                    place[number] = value
                else:
                    value.copy_to(place[number])
        self._packed += 1
        if not self.remembered:
            return Parcel(layout, None, block)
        return Parcel(layout, (os.getpid(), shelf), block if new else None)

    def _room(self, shelf: int, size: int) -> tuple[Tensor, bool]:
        """A block of at least ``size`` bytes, and whether nobody has seen it yet."""
        if get_worker_info() is None:  # nobody tells when a batch is done with
            return torch.empty(size, dtype=torch.uint8), True
        block = self._blocks.get(shelf)
        if block is not None and len(block) >= size:
            return block, False
        block = torch.empty(0, dtype=torch.uint8)
        self._blocks[shelf] = block.new(block.untyped_storage()._new_shared(size))
        return self._blocks[shelf], True


class Arrivals:
    """What the training process knows of the blocks that came."""

    def __init__(self) -> None:
        self._blocks: dict[tuple[int, int], Tensor] = {}

    def open(self, parcel: Parcel) -> dict[str, Tensor]:
        """The batch's tensors by name, each (B, ...); they share the block's memory."""
        block = parcel.block
        if block is None:
            assert parcel.place is not None
            block = self._blocks[parcel.place]
        elif parcel.place is not None:
            self._blocks[parcel.place] = block
        return unpack(block, parcel.layout)


def unpack(block: Tensor, layout: Layout) -> dict[str, Tensor]:
    """The tensors of a block by name; they share its memory."""
    return {name: _part(block, dtype, shape, first) for name, dtype, shape, first in layout}


def _part(block: Tensor, dtype: torch.dtype, shape: tuple[int, ...], first: int) -> Tensor:
    size = dtype.itemsize * torch.Size(shape).numel()
    return block[first : first + size].view(dtype).view(shape)


def _lay_out(values: dict[str, Any], count: int) -> tuple[int, Layout]:
    layout, end = [], 0
    for name, value in values.items():
        kind, shape = torch.from_numpy(np.empty(0, value.dtype)).dtype, (count, *value.shape)
        layout.append((name, kind, shape, end))
        end += -(-torch.Size(shape).numel() * kind.itemsize // ALIGNMENT) * ALIGNMENT
    return end, tuple(layout)
