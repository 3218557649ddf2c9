"""Lloyd's iterations over the pixels of one clip (Eq. 4): the same points and start give the same bits.

Faiss finds the nearest centroid; the update of the centroids is written here, because it decides whether a result can
be repeated: sums run in a fixed order, whatever the number of threads. `maskvos.learning.kmeans_start` makes the start,
`maskvos.learning.kmeans_backends` chooses between this way of iterating and others.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import faiss
import numpy as np

# Above this many points faiss would multiply matrices: less exact, and its last bits may change with the number of
# threads. Below it, each point's distance is summed by itself. With a handful of centroids that is the faster way too
# (27,648 points, 128-d, 5 centroids on one core: 1.8 ms against 3.7 ms).
faiss.cvar.distance_compute_blas_threshold = 2**31 - 1

# Iterations end when no more than this share of the points changes cluster. Measured on features of real clips: going
# on until none does takes two to eight times as many and lowers the objective by less than 0.03 %.
STILL = 0.003
CHUNK = 256  # points that are summed in float32

Assign = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Points (N, D) and centroids (M, D), float32, to ``nearest_centroids``'s two arrays."""


class Start(NamedTuple):
    """What the iterations begin with: ``points`` (N, D) and ``centroids`` (M, D), both float32."""

    points: np.ndarray
    centroids: np.ndarray


@dataclass(frozen=True)
class Clusters:
    """Result of k-means: ``labels`` (N,) int64; ``objective``: mean squared distance to the nearest centroid."""

    labels: np.ndarray
    objective: float
    iterations: int


def nearest_centroids(points: np.ndarray, centroids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Squared distance (N,) float64 to the nearest centroid and its index (N,) int64; the lower index wins a tie."""
    distances, nearest = faiss.knn(points, centroids, 1)
    return distances[:, 0].astype(np.float64), nearest[:, 0]


def lloyd(points: np.ndarray, centroids: np.ndarray, iterations: int, assign: Assign = nearest_centroids) -> Clusters:
    """Assign and average until at most the share ``STILL`` of the assignments changes, at most ``iterations`` times.

    A cluster that lost all its points restarts at the point that is farthest from its own centroid.

    Args:
        points: (N, D) float32.
        centroids: (M, D) float32, where to start.
        iterations: at least 1.
        assign: finds each point's nearest centroid.
    """
    labels = np.full(len(points), -1)
    sums, counts = np.zeros(centroids.shape), np.zeros(len(centroids), np.int64)
    for iteration in range(1, iterations + 1):
        distances, nearest = assign(points, centroids)
        changed = np.count_nonzero(nearest != labels)
        if (
            iteration == iterations
            or changed == 0
            or (changed <= STILL * len(points) and _all_used(nearest, centroids))
        ):
            break
        updated = restart_empty(nearest, distances, len(centroids))
        _move(points, labels, updated, sums, counts)
        labels = updated
        centroids = _means(sums, counts, centroids)
    return Clusters(nearest, float(distances.mean()), iteration)


def _all_used(nearest: np.ndarray, centroids: np.ndarray) -> bool:
    return bool(np.bincount(nearest, minlength=len(centroids)).all())


def restart_empty(nearest: np.ndarray, distances: np.ndarray, clusters: int) -> np.ndarray:
    """Labels (N,) in which each emptied cluster has taken the farthest point of a cluster that can spare one.

    Args:
        nearest: (N,) int64, the nearest centroid of each point.
        distances: (N,) float64, the squared distance to it, in any unit.
        clusters: M.
    """
    counts = np.bincount(nearest, minlength=clusters)
    if counts.all():
        return nearest
    labels, distances = nearest.copy(), distances.copy()
    for empty in np.flatnonzero(counts == 0):
        farthest = int(np.argmax(np.where(counts[labels] > 1, distances, 0)))
        if distances[farthest] == 0 or counts[labels[farthest]] == 1:
            break  # fewer different points than clusters
        counts[labels[farthest]] -= 1
        counts[empty] += 1
        labels[farthest], distances[farthest] = empty, 0
    return labels


def average(points: np.ndarray, labels: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Means (M, D) float32 of the clusters; one without points keeps its place in ``centroids``."""
    sums, counts = np.zeros(centroids.shape), np.zeros(len(centroids), np.int64)
    _move(points, np.full(len(points), -1), labels, sums, counts)
    return _means(sums, counts, centroids)


def _means(sums: np.ndarray, counts: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    means = sums / np.maximum(counts, 1)[:, None]
    return np.where(counts[:, None] > 0, means, centroids).astype(np.float32)


def _move(points: np.ndarray, before: np.ndarray, after: np.ndarray, sums: np.ndarray, counts: np.ndarray) -> None:
    """Bring the clusters' sums (M, D) and counts (M,) up to date, in place, by the points that changed cluster.

    After the first iterations few points do, which makes this several times faster than summing all of them.
    """
    moved = np.flatnonzero(before != after)
    if 4 * len(moved) > len(points):
        sums[:], counts[:] = _sum_all(points, after, len(sums)), np.bincount(after, minlength=len(sums))
        return
    for cluster in range(len(sums)):
        left, joined = moved[before[moved] == cluster], moved[after[moved] == cluster]
        sums[cluster] += points[joined].sum(axis=0, dtype=np.float64) - points[left].sum(axis=0, dtype=np.float64)
        counts[cluster] += len(joined) - len(left)


def _sum_all(points: np.ndarray, labels: np.ndarray, clusters: int) -> np.ndarray:
    """(M, D) sums of the clusters' points: matrix products over chunks, their results added up in float64.

    Three times faster than picking each cluster's points out. A chunk's product is too small for a second thread.
    """
    members = (labels[:, None] == np.arange(clusters)).astype(np.float32)
    whole = len(points) // CHUNK * CHUNK
    chunks = members[:whole].reshape(-1, CHUNK, clusters).transpose(0, 2, 1) @ points[:whole].reshape(
        -1, CHUNK, points.shape[1]
    )
    rest = members[whole:].T @ points[whole:]
    total: np.ndarray = chunks.sum(axis=0, dtype=np.float64) + rest
    return total
