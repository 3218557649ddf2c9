"""Lloyd's iterations of many clips at once, in torch (Eq. 4): the same bits in every batch, order, thread and device.

The last bits of a floating-point sum depend on its order, and that on shapes, threads and the processor. Here no sum
is ever rounded: coordinates become whole numbers, small enough that every product and sum of them is exact in float64
(``grid_bits``). At 128 channels that leaves 22 bits to a coordinate, which moves a squared distance by about 1e-7, as
much as float32 does. Padding of shorter clips is zeros, which add nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from maskvos.learning.kmeans import STILL, Clusters, Start, restart_empty

EXACT = 53  # float64 holds the whole numbers up to 2^53


@dataclass(frozen=True)
class _Batch:
    """B clips, padded to the N points of the longest, as whole numbers in float64; M clusters, D channels."""

    points: Tensor  # (B, N, D)
    squares: Tensor  # (B, N), of the points' lengths
    valid: Tensor  # (B, N) bool, False where padded
    centroids: Tensor  # (B, M, D)
    labels: Tensor  # (B, N) int64 of the iteration before, -1 at first
    rows: Tensor  # (B,) which of the call's clips each one is

    def __getitem__(self, chosen: Tensor) -> "_Batch":
        return _Batch(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


def grid_bits(channels: int) -> int:
    """Bits b of a coordinate: 4 D (2^b)^2 <= 2^53, so |x|^2 - 2 x c + |c|^2 and all its parts are exact in float64."""
    return (EXACT - 2 - (channels - 1).bit_length()) // 2


@torch.inference_mode()
def lloyd_batch(starts: Sequence[Start], iterations: int, device: torch.device) -> list[Clusters]:
    """`maskvos.learning.kmeans.lloyd` of each clip, all in step; a clip that has come to its end leaves the batch.

    Args:
        starts: of clips with any numbers of points, all with the same numbers of clusters and channels.
        iterations: at least 1.
        device: where to work; B N D float64 and a copy while a clip leaves must fit its memory.
    """
    batch, exponents = _load(starts, device)
    results: dict[int, Clusters] = {}
    for iteration in range(1, iterations + 1):
        distances, nearest = _assign(batch)
        ends = _still(batch, nearest) | (iteration == iterations)
        for place in ends.nonzero()[:, 0].tolist():
            clip = int(batch.rows[place])
            length = len(starts[clip].points)
            scaled = np.ldexp(distances[place, :length].cpu().numpy(), -2 * exponents[clip])
            results[clip] = Clusters(nearest[place, :length].cpu().numpy(), float(scaled.mean()), iteration)
        if len(results) == len(starts):
            break
        if ends.any():
            batch, distances, nearest = batch[~ends], distances[~ends], nearest[~ends]
        batch = _move(batch, nearest, distances)
    return [results[clip] for clip in range(len(starts))]


def _exponent(points: Tensor, centroids: Tensor) -> int:
    """The power of two by which a clip's coordinates are multiplied: the largest lies in [2^(b-1), 2^b] afterwards."""
    largest = max(float(values.abs().max()) for values in (points, centroids))
    return grid_bits(points.shape[1]) - math.frexp(largest)[1]


def _load(starts: Sequence[Start], device: torch.device) -> tuple[_Batch, list[int]]:
    """The clips on the device, and the exponent of each."""
    lengths = torch.tensor([len(start.points) for start in starts])
    longest, channels = int(lengths.max()), starts[0].points.shape[1]
    points = torch.zeros(len(starts), longest, channels, dtype=torch.float64, device=device)
    centroids = torch.zeros(len(starts), *starts[0].centroids.shape, dtype=torch.float64, device=device)
    exponents = []
    for place, start in enumerate(starts):
        sources = [torch.from_numpy(values).to(device) for values in start]
        exponents.append(_exponent(*sources))
        for target, source in zip((points[place, : lengths[place]], centroids[place]), sources, strict=True):
            torch.round(source.double() * 2.0 ** exponents[-1], out=target)
    valid = (torch.arange(longest) < lengths[:, None]).to(device)
    labels = torch.full(valid.shape, -1, device=device)
    rows = torch.arange(len(starts), device=device)
    return _Batch(points, points.square().sum(-1), valid, centroids, labels, rows), exponents


def _assign(batch: _Batch) -> tuple[Tensor, Tensor]:
    """Squared distance (B, N) to the nearest centroid and its index (B, N); the lower index wins a tie."""
    products = batch.points @ batch.centroids.transpose(1, 2)
    distances = batch.squares[..., None] - 2 * products + batch.centroids.square().sum(-1)[:, None]
    least, nearest = distances.min(dim=-1)
    return least, nearest


def _still(batch: _Batch, nearest: Tensor) -> Tensor:
    """(B,) bool: no assignment changes, or at most the share ``STILL`` of a clip's while no cluster is empty."""
    changed = ((nearest != batch.labels) & batch.valid).sum(dim=1)
    few = changed <= STILL * batch.valid.sum(dim=1)
    if few.any():
        few &= (changed == 0) | _members(nearest, batch.valid, batch.centroids.shape[1]).any(dim=-1).all(dim=1)
    return few


def _move(batch: _Batch, nearest: Tensor, distances: Tensor) -> _Batch:
    """The batch with centroids at the means of their clusters, rounded to whole numbers; emptied ones restarted."""
    clusters = batch.centroids.shape[1]
    members = _members(nearest, batch.valid, clusters)
    emptied = (members.sum(-1) == 0).any(dim=1).nonzero()[:, 0].tolist()
    for place in emptied:  # seldom, so one by one, as in the other backends
        own = batch.valid[place]
        labels = restart_empty(nearest[place][own].cpu().numpy(), distances[place][own].cpu().numpy(), clusters)
        nearest[place][own] = torch.from_numpy(labels).to(nearest.device)
    if emptied:
        members = _members(nearest, batch.valid, clusters)
    counts = members.sum(-1, keepdim=True)
    means = torch.round(members @ batch.points / counts.clamp(min=1))
    return replace(batch, labels=nearest, centroids=torch.where(counts > 0, means, batch.centroids))


def _members(labels: Tensor, valid: Tensor, clusters: int) -> Tensor:
    """(B, M, N) float64: 1 where a point that is not padding belongs to the cluster."""
    numbers = torch.arange(clusters, device=labels.device)[:, None]
    return ((labels[:, None] == numbers) & valid[:, None]).double()
