"""k-means of one clip by several implementations, as ratios to this project's default: `python benchmarks/kmeans.py`.

27 frames of 32 x 32 cells, 128 channels, M = 5, from the same seeds where an implementation takes seeds. Times are per
iteration, because implementations stop at different ones; the best of several runs counts. Objectives are computed
here, in float64 from the labels, the same way for all.
"""

import argparse
import time
from collections.abc import Callable

import faiss
import numpy as np
import torch

from maskvos.console import accelerator, processor
from maskvos.learning.kmeans import Start
from maskvos.learning.kmeans_backends import open_backend
from maskvos.learning.kmeans_start import clip_generator, seeded
from maskvos.learning.pseudo_masks import space_time_points

Run = Callable[[list[Start], int], list[tuple[np.ndarray, int]]]
"""Starts and the most iterations to (labels, iterations) of each."""


def backend(name: str, device: str) -> Run:
    """One of this project's."""
    opened = open_backend(name, torch.device(device))
    return lambda starts, iterations: [(result.labels, result.iterations) for result in opened.run(starts, iterations)]


def faiss_library(starts: list[Start], iterations: int) -> list[tuple[np.ndarray, int]]:
    """Faiss's own k-means: BLAS distances, no early stop, its own way with emptied clusters."""
    found = []
    for points, centroids in starts:
        trained = faiss.Kmeans(points.shape[1], len(centroids), niter=iterations, max_points_per_centroid=len(points))
        trained.train(points, init_centroids=centroids)
        found.append((trained.assign(points)[1], iterations))
    return found


def scikit_learn(starts: list[Start], iterations: int) -> list[tuple[np.ndarray, int]]:
    """scikit-learn's Lloyd with its early stop by tolerance switched off."""
    from sklearn.cluster import KMeans

    found = []
    for points, centroids in starts:
        fitted = KMeans(len(centroids), init=centroids, n_init=1, max_iter=iterations, tol=0).fit(points)
        found.append((fitted.labels_, fitted.n_iter_))
    return found


def plain_numpy(starts: list[Start], iterations: int) -> list[tuple[np.ndarray, int]]:
    """What one writes first: a matrix product for the distances, a mean for each cluster."""
    found = []
    for points, centroids in starts:
        labels, count = np.full(len(points), -1), 0
        while count < iterations:
            nearest = ((centroids**2).sum(1) - 2 * points @ centroids.T).argmin(1)
            count += 1
            if np.array_equal(nearest, labels):
                break
            labels = nearest
            centroids = np.stack([points[labels == number].mean(0) for number in range(len(centroids))])
        found.append((labels, count))
    return found


def implementations() -> dict[str, Run]:
    """By name, the default first; what is not installed is left out."""
    found: dict[str, Run] = {"maskvos, faiss": backend("faiss", "cpu"), "maskvos, torch": backend("torch", "cpu")}
    if torch.cuda.is_available():
        found["maskvos, torch on the GPU"] = backend("torch", "cuda")
    if hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus():
        found["maskvos, faiss on the GPU"] = backend("faiss_gpu", "cpu")
    found["faiss.Kmeans"] = faiss_library
    try:
        import sklearn  # noqa: F401

        found["scikit-learn"] = scikit_learn
    except ImportError:
        pass
    return found | {"plain numpy": plain_numpy}


def objective(points: np.ndarray, labels: np.ndarray) -> float:
    """Mean squared distance to the mean of the own cluster, in float64."""
    means = [points[labels == number].mean(0, dtype=np.float64) for number in np.unique(labels)]
    own = np.stack(means)[np.unique(labels, return_inverse=True)[1]]
    return float(((points - own) ** 2).sum(1).mean())


def compare(clips: int, grid: tuple[int, ...], clusters: int, iterations: int, runs: int) -> list[list[str]]:
    """The table's rows: implementation, time per iteration and objective against the first, iterations."""
    starts = []
    for clip in range(clips):
        features = np.random.default_rng(clip).standard_normal(grid).astype(np.float32)
        starts.append(seeded(space_time_points(features, 0.5), clusters, clip_generator(0, 0, str(clip))))
    rows, base = [], (1.0, 1.0)
    for name, run in implementations().items():
        times = []
        for _ in range(runs):
            began = time.perf_counter()
            results = run(starts, iterations)
            times.append((time.perf_counter() - began) / sum(count for _, count in results))
        reached = np.mean([objective(start.points, one[0]) for start, one in zip(starts, results, strict=True)])
        base = base if rows else (min(times), float(reached))
        counts = np.mean([count for _, count in results])
        rows.append([name, f"{min(times) / base[0]:.2f}", f"{reached / base[1]:.5f}", f"{counts:.0f}"])
    return rows


def main() -> None:
    """Print the table and where it was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=1, help="how many at once; default: 1")
    parser.add_argument("--grid", type=int, nargs=4, default=(27, 32, 32, 128), metavar=("T", "H", "W", "D"))
    parser.add_argument("--clusters", type=int, default=5)
    parser.add_argument("--iterations", type=int, default=100)
    parser.add_argument("--runs", type=int, default=3, help="the best counts; default: 3")
    parser.add_argument("--threads", type=int, default=1, help="of torch and faiss; default: 1")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    faiss.omp_set_num_threads(args.threads)
    rows = compare(args.clips, tuple(args.grid), args.clusters, args.iterations, args.runs)
    print(f"{args.clips} x {tuple(args.grid)}, M = {args.clusters}")
    print(f"{processor()}, accelerator: {accelerator()}, threads: {args.threads}")
    print(f"{'':28}{'time/iteration':>16}{'objective':>12}{'iterations':>12}")
    for name, *values in rows:
        print(f"{name:28}{values[0]:>16}{values[1]:>12}{values[2]:>12}")


if __name__ == "__main__":
    main()
