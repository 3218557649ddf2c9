"""The matching engine of the test protocol: affinity, top-k, readout (Eq. 6 to 8).

One set of indices and weights gathers masks and values, unless `parts.refine` ranks the masks' matches anew. References
with a radius are matched tile by tile with what the tile can reach, so the dense affinity of a query with all its
references is never built; the result is the same as that of the dense computation, because the top-k of a union lies in
the union of the top-k.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from maskvos.inference.windows import Batch, plan_windows
from maskvos.training.device import for_device

# Scores held at once for references without a radius, in numbers: what a processor's cache holds; a GPU takes 480x854
# at once. And the most parts that such a frame is divided into. At 60x107, D = 128, two threads: 0.16 s; 0.28 s
# with 16 times the scores, 0.31 s undivided.
CHUNK = {"cpu": 1 << 20, "cuda": 1 << 26}
PARTS = 12


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
    first: Sequence[int],
    recent: Sequence[int],
    top_k: int,
    radius: int,
    temperature: float,
    first_radius: int | None = None,
) -> Affinity:
    """Affinity of a query frame with its references: top-k over all their cells jointly, softmax over these (Eq. 6).

    Args:
        query: (h, w, D) L2-normalised keys.
        keys: (S, h, w, D) storage of L2-normalised reference keys.
        first: slots of ``keys`` whose cells at a Euclidean distance < ``first_radius`` are candidates; every cell of
            them where that is None.
        recent: slots whose cells at a Euclidean distance < ``radius`` (in cells) are candidates. A slot that is
            named twice counts twice, as CRW's padding with copies of the first frame does.
        top_k, radius, temperature, first_radius: see ``params.Inference``.

    Source: the test protocol of CRW (paper reference [34]), which the paper follows.
    """
    parts = []
    if first and first_radius is None:
        parts.append(_best_anywhere(query.flatten(0, 1), keys, first, top_k))
    elif first and first_radius is not None:
        parts.append(_best_within(query, keys, first, top_k, first_radius))
    if recent:
        parts.append(_best_within(query, keys, recent, top_k, radius))
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
    count = max(part for part in range(1, PARTS + 1) if cells % part == 0)
    chunk = for_device(CHUNK, query.device)
    found = []
    for slot in slots:
        parts = keys[slot].view(1, count, cells // count, -1)
        pieces = []
        for rows in query.split(max(1, chunk // cells)):
            scores, part, place = _best_of_parts(rows[None], parts, None, top_k)
            pieces.append((scores[0], (part * (cells // count) + place)[0] + slot * cells))
        found.append([torch.cat(column) for column in zip(*pieces, strict=True)])
    scores, indices = (torch.cat(column, 1) for column in zip(*found, strict=True))
    return scores, indices


def _best_within(query: Tensor, keys: Tensor, slots: Sequence[int], top_k: int, radius: int) -> tuple[Tensor, Tensor]:
    """Scores and indices (Q, k) of the best cells within the radius, jointly over the slots; query (h, w, D)."""
    height, width, _ = query.shape
    rows, table = query.flatten(0, 1), keys.flatten(0, 2)
    starts = torch.tensor(slots, device=query.device) * (height * width)
    windows = plan_windows(height, width, radius, len(slots), query.device)
    parts = [_best_of_batch(rows, table, starts, batch, top_k) for batch in windows.batches]
    return torch.cat([part[0] for part in parts])[windows.place], torch.cat([part[1] for part in parts])[windows.place]


def _best_of_batch(rows: Tensor, table: Tensor, starts: Tensor, batch: Batch, top_k: int) -> tuple[Tensor, Tensor]:
    """Scores and indices (T * q, k) of a batch of tiles."""
    (tiles, count), slots = batch.queries.shape, len(starts)
    tile = rows.index_select(0, batch.queries.flatten()).view(tiles, count, -1)
    cells = (batch.reached[:, None] + starts[:, None]).flatten()
    window = table.index_select(0, cells).view(tiles, slots, -1, tile.shape[2])
    scores, part, place = _best_of_parts(tile, window, batch.outside, top_k)
    indices = batch.reached.gather(1, place.flatten(1)).view_as(place) + starts[part]
    missing = (0, top_k - scores.shape[2])  # where a tile and its reach are small
    scores, indices = functional.pad(scores, missing, value=float("-inf")), functional.pad(indices, missing)
    return scores.flatten(0, 1), indices.flatten(0, 1)


def _best_of_parts(tile: Tensor, parts: Tensor, outside: Tensor | None, top_k: int) -> tuple[Tensor, Tensor, Tensor]:
    """The k best cells of S parts of a reference (or of S references) jointly.

    They lie at the k places (of n) that are best in whichever part is best there. So one maximum over the parts, which
    is cheap, leaves k S candidates of S n to sort. A product for each part is twice as fast as one for all, whose
    result no cache holds (measured on two cores: 91 and 46 GFLOP/s).

    Args:
        tile: (T, q, D) queries.
        parts: (T, S, n, D).
        outside: (T, q, n) places that are no candidates in any part, None for none.

    Returns:
        Scores, part and place, each (T, q, k); fewer than k where there are fewer than k S candidates.
    """
    tiles, slots = parts.shape[:2]
    queries = tile[:, None].expand(-1, slots, -1, -1).flatten(0, 1)
    similarity = torch.bmm(queries, parts.flatten(0, 1).transpose(1, 2)).unflatten(0, (tiles, slots))
    best = similarity.amax(1)
    if outside is not None:
        best.masked_fill_(outside, float("-inf"))
    place = best.topk(min(top_k, best.shape[2]), 2, sorted=False)[1]  # (T, q, k)
    candidates = similarity.gather(3, place[:, None].expand(-1, slots, -1, -1))  # (T, S, q, k)
    if outside is not None:
        candidates.masked_fill_(outside.gather(2, place)[:, None], float("-inf"))
    candidates = candidates.transpose(1, 2).flatten(2)
    scores, chosen = candidates.topk(min(top_k, candidates.shape[2]), 2, sorted=False)
    return scores, chosen // place.shape[2], place.gather(2, chosen % place.shape[2])
