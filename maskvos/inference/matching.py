"""The matching engine of the test protocol: affinity, top-k, readout (Eq. 6 to 8).

One set of indices and weights gathers masks and values. References with a radius are matched tile by tile against the
window that the tile can reach, so the dense affinity of a query with all its references is never built; the result is
the same as that of the dense computation, because the top-k of a union lies in the union of the top-k.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

# Rows and columns of queries that share a window. Measured at 30x53 and 60x107, D = 128, radius 12, 20 references, one
# and two threads: tiles of 100 to 150 cells are alike and this shape is the best or close to it; whole rows take 1.3 to
# 4 times as long, shifted products (one for each of the 437 displacements) 5 to 15 times.
TILE = (12, 12)
# Scores held at once for references without a radius, in numbers (64 MB of fp32).
CHUNK = 1 << 24


@dataclass(frozen=True)
class Affinity:
    """For each of Q query cells, k reference cells and their weights.

    Attributes:
        indices: (Q, k) int64, slot * cells + cell into the reference storage.
        weights: (Q, k) float32, a softmax over the k (rows sum to 1); 0 where fewer than k candidates exist.
    """

    indices: Tensor
    weights: Tensor


def match(
    query: Tensor,
    keys: Tensor,
    unrestricted: Sequence[int],
    restricted: Sequence[int],
    top_k: int,
    radius: int,
    temperature: float,
) -> Affinity:
    """Affinity of a query frame with its references: top-k over all their cells jointly, softmax over these (Eq. 6).

    Args:
        query: (h, w, D) L2-normalised keys.
        keys: (S, h, w, D) storage of L2-normalised reference keys.
        unrestricted: slots of ``keys`` whose every cell is a candidate (the first frame).
        restricted: slots whose cells at a Euclidean distance < ``radius`` (in cells) are candidates. A slot that is
            named twice counts twice, as CRW's padding with copies of the first frame does.
        top_k, radius, temperature: see ``params.Inference``.

    Source: the test protocol of CRW (paper reference [34]), which the paper follows.
    """
    parts = []
    if unrestricted:
        parts.append(_best_anywhere(query.flatten(0, 1), keys, unrestricted, top_k))
    if restricted:
        parts.append(_best_within(query, keys, restricted, top_k, radius))
    scores = torch.cat([part[0] for part in parts], 1)
    indices = torch.cat([part[1] for part in parts], 1)
    scores, chosen = scores.topk(min(top_k, scores.shape[1]), 1)
    return Affinity(indices.gather(1, chosen), functional.softmax(scores / temperature, 1))


def readout(affinity: Affinity, table: Tensor) -> Tensor:
    """Weighted sums (Q, C) of the matched rows of ``table`` (S * cells, C): Eq. 7 for values, Eq. 8 for masks."""
    return functional.embedding_bag(affinity.indices, table, per_sample_weights=affinity.weights, mode="sum")


def _best_anywhere(query: Tensor, keys: Tensor, slots: Sequence[int], top_k: int) -> tuple[Tensor, Tensor]:
    """Scores and indices (Q, <= k per slot) of the best cells of whole frames; query (Q, D)."""
    cells = query.shape[0]
    scores, indices = [], []
    for slot in slots:
        reference = keys[slot].flatten(0, 1)
        for rows in query.split(max(1, CHUNK // cells)):
            best, cell = (rows @ reference.T).topk(min(top_k, cells), 1)
            scores.append(best)
            indices.append(cell + slot * cells)
    pieces = len(scores) // len(slots)
    return (
        torch.cat([torch.cat(scores[i : i + pieces]) for i in range(0, len(scores), pieces)], 1),
        torch.cat([torch.cat(indices[i : i + pieces]) for i in range(0, len(indices), pieces)], 1),
    )


def _best_within(query: Tensor, keys: Tensor, slots: Sequence[int], top_k: int, radius: int) -> tuple[Tensor, Tensor]:
    """Scores and indices (Q, k) of the best cells within the radius, jointly over the slots; query (h, w, D)."""
    height, width, _ = query.shape
    reach = radius - 1  # distance < radius, and distances along an axis are whole
    scores = query.new_full((height, width, top_k), float("-inf"))
    indices = torch.zeros((height, width, top_k), dtype=torch.int64, device=query.device)
    slot_start = torch.tensor(slots, device=query.device) * (height * width)
    for rows, columns in _tiles(height, width):
        window_rows = slice(max(0, rows.start - reach), min(height, rows.stop + reach))
        window_columns = slice(max(0, columns.start - reach), min(width, columns.stop + reach))
        window = torch.stack([keys[slot, window_rows, window_columns] for slot in slots]).flatten(0, 2)
        tile = query[rows, columns].flatten(0, 1)
        y, x = _cells(window_rows, window_columns, query.device)
        tile_y, tile_x = _cells(rows, columns, query.device)
        down, right = tile_y[:, None] - y, tile_x[:, None] - x
        outside = down * down + right * right >= radius * radius
        similarity = (tile @ window.T).view(len(tile), len(slots), -1)
        similarity = similarity.masked_fill_(outside[:, None], float("-inf")).flatten(1)
        count = min(top_k, similarity.shape[1])
        best, chosen = similarity.topk(count, 1)
        origin = (slot_start[:, None] + y * width + x).flatten()
        shape = (rows.stop - rows.start, columns.stop - columns.start, count)
        scores[rows, columns, :count] = best.view(shape)
        indices[rows, columns, :count] = origin[chosen].view(shape)
    return scores.flatten(0, 1), indices.flatten(0, 1)


def _tiles(height: int, width: int) -> Iterator[tuple[slice, slice]]:
    for top in range(0, height, TILE[0]):
        for left in range(0, width, TILE[1]):
            yield slice(top, min(top + TILE[0], height)), slice(left, min(left + TILE[1], width))


def _cells(rows: slice, columns: slice, device: torch.device) -> tuple[Tensor, Tensor]:
    """Row and column of every cell of a rectangle, in row-major order."""
    y, x = torch.meshgrid(
        torch.arange(rows.start, rows.stop, device=device),
        torch.arange(columns.start, columns.stop, device=device),
        indexing="ij",
    )
    return y.flatten(), x.flatten()
