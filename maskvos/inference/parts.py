"""Matches finer than a cell: each cell of the keys' grid in four parts, four pixels wide, which find their own matches
among the parts of the cells that the whole cell has matched (Eq. 6)."""

import torch
from torch import Tensor
from torch.nn import functional

from maskvos.inference.matching import Affinity
from maskvos.training.device import for_device

SIDE = 2  # parts of a cell, a side
# Numbers gathered at once, C for each part of each matched cell: what a processor's cache holds; a GPU takes a frame.
CHUNK = {"cpu": 1 << 20, "cuda": 1 << 28}


def to_parts(maps: Tensor, side: int = SIDE) -> Tensor:
    """(C, side h, side w) -> (h * w, side * side, C): cell by cell, the parts of each row by row."""
    cells = functional.pixel_unshuffle(maps[None], side)[0]
    return cells.view(len(maps), side * side, -1).permute(2, 1, 0)


def from_parts(rows: Tensor, grid: tuple[int, int], side: int = SIDE) -> Tensor:
    """(h * w * side * side, C), in the order of `to_parts`, of a ``grid`` (h, w) -> (C, side h, side w)."""
    cells = rows.view(grid[0] * grid[1], side * side, -1).permute(2, 1, 0)
    return functional.pixel_shuffle(cells.reshape(1, -1, *grid), side)[0]


def refine(affinity: Affinity, query: Tensor, table: Tensor, top_k: int, temperature: float, weight: float) -> Affinity:
    """The affinity of the parts of cells from that of the cells.

    A part's candidates are the parts of its cell's matches; what it scores there is the weighted mean of the cells'
    similarity (weight 1) and the parts' dot product (``weight``). The softmax is over the ``top_k`` best again.

    Args:
        affinity: of Q cells, with indices into N cells.
        query: (Q, P, C) L2-normalised, of the query's parts.
        table: (N, P, C) of the references' parts, likewise.
        top_k, temperature: those that ``affinity`` was made with.
        weight: of the parts.

    Returns:
        The affinity of Q * P parts, with indices into N * P parts, in the order of `to_parts`.
    """
    cells, parts, channels = query.shape
    matched = affinity.indices.shape[1]
    step = max(1, for_device(CHUNK, query.device) // (matched * parts * channels))
    # The similarities of the cells, less one number for each cell, which no softmax sees, over the temperature. A match
    # whose weight is 0 in float32, 100 temperatures behind the best, is none.
    scores = affinity.weights.log()
    found = []
    for start in range(0, cells, step):
        indices, rows = affinity.indices[start : start + step], query[start : start + step]
        candidates = table.index_select(0, indices.flatten()).view(len(rows), matched * parts, channels)
        logits = torch.bmm(rows, candidates.transpose(1, 2)) * (weight / temperature)
        logits += scores[start : start + step].repeat_interleave(parts, 1)[:, None]
        best, place = (logits / (1 + weight)).topk(min(top_k, matched * parts), 2)
        cell = indices.gather(1, (place // parts).flatten(1)).view_as(place)
        found.append((cell * parts + place % parts, functional.softmax(best, 2)))
    indices, weights = (torch.cat(column).flatten(0, 1) for column in zip(*found, strict=True))
    return Affinity(indices, weights)
