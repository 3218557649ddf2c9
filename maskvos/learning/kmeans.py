"""k-means over the pixels of one clip (Eq. 4): the same points and generator give the same bits.

Faiss finds the nearest centroid; seeding and the update of the centroids are written here, because both decide whether
a result can be repeated: seeds depend on the clip's name and never on its turn, sums run in float64 in a fixed order.
`maskvos.learning.kmeans_backends` chooses between this way of iterating and others; all begin with these seeds.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import faiss
import numpy as np

# Above this many points faiss would multiply matrices: less exact, and its last bits may change with the number of
# threads. Below it, each point's distance is summed by itself. With a handful of centroids that is the faster way too
# (27,648 points, 128-d, 5 centroids on one core: 1.8 ms against 3.7 ms).
faiss.cvar.distance_compute_blas_threshold = 2**31 - 1


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


def clip_generator(seed: int, round_: int, clip: str) -> np.random.Generator:
    """The random numbers of one clip in one round, whatever the order and the machine the clips are worked on."""
    digest = hashlib.sha256(f"{seed} {round_} {clip}".encode()).digest()
    return np.random.default_rng(np.frombuffer(digest, "<u4"))


def seeded(points: np.ndarray, clusters: int, generator: np.random.Generator) -> Start:
    """The points with centroids drawn by k-means++.

    Args:
        points: (N, D) float32, finite; N >= 1.
        clusters: M, at least 1.
        generator: as from ``clip_generator``.
    """
    points = np.ascontiguousarray(points, np.float32)
    return Start(points, points[seed_points(points, clusters, generator)])


def seed_points(points: np.ndarray, clusters: int, generator: np.random.Generator) -> np.ndarray:
    """k-means++ (Arthur and Vassilvitskii 2007): indices (M,) of points, each drawn with probability ~ D(x)^2.

    Where every point already coincides with a seed, the next one is drawn evenly.
    """
    chosen = [int(generator.integers(len(points)))]
    distances = np.full(len(points), np.inf)
    while len(chosen) < clusters:
        distances = np.minimum(distances, nearest_centroids(points, points[chosen[-1:]])[0])
        cumulated = np.cumsum(distances)
        if cumulated[-1] > 0:
            drawn = np.searchsorted(cumulated, generator.random() * cumulated[-1], side="right")
            chosen.append(min(int(drawn), len(points) - 1))
        else:
            chosen.append(int(generator.integers(len(points))))
    return np.array(chosen)


def nearest_centroids(points: np.ndarray, centroids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Squared distance (N,) float64 to the nearest centroid and its index (N,) int64; the lower index wins a tie."""
    distances, nearest = faiss.knn(points, centroids, 1)
    return distances[:, 0].astype(np.float64), nearest[:, 0]


def lloyd(points: np.ndarray, centroids: np.ndarray, iterations: int, assign: Assign = nearest_centroids) -> Clusters:
    """Assign and average until no assignment changes, at most ``iterations`` times.

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
        if iteration == iterations or np.array_equal(nearest, labels):
            break
        updated = restart_empty(nearest, distances, len(centroids))
        _move(points, labels, updated, sums, counts)
        labels = updated
        means = sums / np.maximum(counts, 1)[:, None]
        centroids = np.where(counts[:, None] > 0, means, centroids).astype(np.float32)
    return Clusters(nearest, float(distances.mean()), iteration)


def restart_empty(nearest: np.ndarray, distances: np.ndarray, clusters: int) -> np.ndarray:
    """Labels (N,) in which each emptied cluster has taken the farthest point of a cluster that can spare one.

    Args:
        nearest: (N,) int64, the nearest centroid of each point.
        distances: (N,) float64, the squared distance to it, in any unit.
        clusters: M.
    """
    counts = np.bincount(nearest, minlength=clusters)
    labels, distances = nearest.copy(), distances.copy()
    for empty in np.flatnonzero(counts == 0):
        farthest = int(np.argmax(np.where(counts[labels] > 1, distances, 0)))
        if distances[farthest] == 0 or counts[labels[farthest]] == 1:
            break  # fewer different points than clusters
        counts[labels[farthest]] -= 1
        counts[empty] += 1
        labels[farthest], distances[farthest] = empty, 0
    return labels


def _move(points: np.ndarray, before: np.ndarray, after: np.ndarray, sums: np.ndarray, counts: np.ndarray) -> None:
    """Bring the clusters' sums (M, D) and counts (M,) up to date, in place, by the points that changed cluster.

    After the first iterations few points do, which makes this several times faster than summing all of them.
    """
    moved = np.flatnonzero(before != after)
    for cluster in range(len(sums)):
        left, joined = moved[before[moved] == cluster], moved[after[moved] == cluster]
        sums[cluster] += points[joined].sum(axis=0, dtype=np.float64) - points[left].sum(axis=0, dtype=np.float64)
        counts[cluster] += len(joined) - len(left)
