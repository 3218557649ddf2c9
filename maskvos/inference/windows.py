"""Tiles of query cells, and the reference cells that a tile can reach within the radius."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from maskvos.training.device import for_device

# Rows and columns of queries that share a window. Small tiles reach fewer cells in vain, large ones multiply faster.
# Measured at 60x107, D = 128, radius 12, 20 references, one thread: 10x12 0.80 s, 10x10 0.83, 12x12 0.89, 8x8 0.98, 6x6
# 1.28; one displacement after the other takes 5 to 15 times as long.
TILE = (10, 12)
# Scores held at once, in numbers: a processor works best on what its cache holds, tile by tile; a GPU wants few large
# batches (1 GB of fp32 is one batch at 480x854 with 20 references).
SCORES = {"cpu": 1, "cuda": 1 << 28}


@dataclass(frozen=True)
class Batch:
    """T tiles, padded to one size where the border cuts a tile or its reach.

    Attributes:
        queries: (T, q) int64, the cells of each tile; padding repeats cell 0.
        reached: (T, n) int64, the cells that some cell of the tile can reach.
        outside: (T, q, n) bool, farther apart than the radius allows, or padding.
    """

    queries: Tensor
    reached: Tensor
    outside: Tensor


@dataclass(frozen=True)
class Windows:
    """All tiles of a grid, and ``place`` (h * w) int64: where each cell stands in the results of all batches, padding
    included, one after the other."""

    batches: tuple[Batch, ...]
    place: Tensor


@lru_cache(maxsize=32)  # a video asks for the same ones at every frame, but for the first few
def plan_windows(height: int, width: int, radius: int, references: int, device: torch.device) -> Windows:
    """The tiles of a grid (h, w), each with the cells at a Euclidean distance < ``radius`` of one of its own.

    Args:
        references: frames that each cell is matched with, which bounds the tiles of a batch.
    """
    tiles = _tiles(height, width, radius)
    largest = max(outside.numel() for _, _, outside in tiles)
    step = max(1, for_device(SCORES, device) // (references * largest))
    parts = [tiles[start : start + step] for start in range(0, len(tiles), step)]
    places, start = [], 0
    for part in parts:
        size = max(len(queries) for queries, _, _ in part)
        for queries, _, _ in part:
            places.append(start + torch.arange(len(queries)))
            start += size
    order = torch.cat([queries for queries, _, _ in tiles]).argsort()
    return Windows(tuple(_batch(part, device) for part in parts), torch.cat(places)[order].to(device))


@lru_cache(maxsize=8)
def _tiles(height: int, width: int, radius: int) -> list[tuple[Tensor, Tensor, Tensor]]:
    corners = [(top, left) for top in range(0, height, TILE[0]) for left in range(0, width, TILE[1])]
    return [_tile(height, width, top, left, radius) for top, left in corners]


def _tile(height: int, width: int, top: int, left: int, radius: int) -> tuple[Tensor, Tensor, Tensor]:
    """Cells of one tile (q), cells in its reach (n), and which of these are outside of each one's reach (q, n)."""
    y, x = _cells(height, width, top, left, 0)
    near_y, near_x = _cells(height, width, top, left, radius)
    outside = (y[:, None] - near_y) ** 2 + (x[:, None] - near_x) ** 2 >= radius * radius
    reached = (~outside).any(0)
    return y * width + x, (near_y * width + near_x)[reached], outside[:, reached]


def _cells(height: int, width: int, top: int, left: int, margin: int) -> tuple[Tensor, Tensor]:
    """Row and column of every cell of a tile with a margin around it, in row-major order."""
    rows = torch.arange(max(0, top - margin), min(height, top + TILE[0] + margin))
    columns = torch.arange(max(0, left - margin), min(width, left + TILE[1] + margin))
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return y.flatten(), x.flatten()


def _batch(tiles: Sequence[tuple[Tensor, Tensor, Tensor]], device: torch.device) -> Batch:
    size = max(len(queries) for queries, _, _ in tiles)
    reach = max(len(reached) for _, reached, _ in tiles)
    return Batch(
        torch.stack([functional.pad(queries, (0, size - len(queries))) for queries, _, _ in tiles]).to(device),
        torch.stack([functional.pad(reached, (0, reach - len(reached))) for _, reached, _ in tiles]).to(device),
        torch.stack(
            [
                functional.pad(outside, (0, reach - outside.shape[1], 0, size - len(outside)), value=True)
                for _, _, outside in tiles
            ]
        ).to(device),
    )
