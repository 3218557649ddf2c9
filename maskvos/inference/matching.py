"""The matching engine of the test protocol: affinity, top-k, readout (Eq. 6 to 8).

One set of indices and weights gathers masks and values. References with a radius are matched tile by tile with what the
tile can reach, so the dense affinity of a query with all its references is never built; the result is the same as that
of the dense computation, because the top-k of a union lies in the union of the top-k.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from maskvos.inference.windows import Batch, plan_windows

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
    rows, table = query.flatten(0, 1), keys.flatten(0, 2)
    starts = torch.tensor(slots, device=query.device) * (height * width)
    windows = plan_windows(height, width, radius, len(slots), query.device)
    parts = [_best_of_batch(rows, table, starts, batch, top_k) for batch in windows.batches]
    return torch.cat([part[0] for part in parts])[windows.place], torch.cat([part[1] for part in parts])[windows.place]


def _best_of_batch(rows: Tensor, table: Tensor, starts: Tensor, batch: Batch, top_k: int) -> tuple[Tensor, Tensor]:
    """Scores and indices (T * q, k) of a batch of tiles.

    The k best of all cells of all S references lie at the k places (of n) that are best in whichever reference is
    best there. So one maximum over the references, which is cheap, leaves k S candidates of n S to sort.
    """
    (tiles, count), slots = batch.queries.shape, len(starts)
    tile = rows.index_select(0, batch.queries.flatten()).view(tiles, count, -1)
    cells = (batch.reached[:, None] + starts[:, None]).flatten()
    window = table.index_select(0, cells).view(tiles, -1, tile.shape[2])
    similarity = torch.bmm(tile, window.transpose(1, 2)).view(tiles, count, slots, -1)
    best = similarity.amax(2).masked_fill_(batch.outside, float("-inf"))
    place = best.topk(min(top_k, best.shape[2]), 2, sorted=False)[1]  # (T, q, k)
    candidates = similarity.gather(3, place[:, :, None].expand(-1, -1, slots, -1))
    candidates = candidates.masked_fill_(batch.outside.gather(2, place)[:, :, None], float("-inf")).flatten(2)
    scores, chosen = candidates.topk(min(top_k, candidates.shape[2]), 2, sorted=False)
    cell = batch.reached.gather(1, place.gather(2, chosen % place.shape[2]).flatten(1)).view_as(chosen)
    indices = cell + starts[chosen // place.shape[2]]
    missing = (0, top_k - scores.shape[2])  # where a tile and its reach are small
    scores, indices = functional.pad(scores, missing, value=float("-inf")), functional.pad(indices, missing)
    return scores.flatten(0, 1), indices.flatten(0, 1)
