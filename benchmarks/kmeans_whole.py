"""Whole runs of k-means, seeds and early stop included, beside scikit-learn's: `python -m benchmarks.kmeans_whole`.

27 frames of 32 x 32 and of 60 x 107 cells, 128 channels, M = 5. scikit-learn runs as it comes, with one k-means++ start
(its tolerance ends it early). Both take the same points, made by the stage's own `space_time_points`, and turns. Other
seeds lead to other optima, so that objectives are means over the starts, computed here in float64 from the labels.
scikit-learn is no dependency of this project: install it somewhere (`pip install --target FOLDER scikit-learn`) and
put FOLDER last in PYTHONPATH.
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

import faiss
import numpy as np
import torch
import torch.nn.functional as functional

from benchmarks.kmeans import objective
from maskvos.console import accelerator, processor
from maskvos.learning.kmeans_backends import open_backend
from maskvos.learning.kmeans_start import clip_generator, seeded
from maskvos.learning.pseudo_masks import space_time_points
from maskvos.tables.markdown import markdown_table
from maskvos.tables.table import Cell, Line, Table

GRIDS = (27, 32, 32, 128), (27, 60, 107, 128)
MISSING = "not measured"
Run = Callable[[np.ndarray, int, int], np.ndarray]
"""Points (N, D), number of clusters and number of the start to labels (N,)."""


def scikit_learn(points: np.ndarray, clusters: int, start: int) -> np.ndarray:
    """As a user calls it."""
    from sklearn.cluster import KMeans

    labels: np.ndarray = KMeans(clusters, n_init=1, random_state=start).fit(points).labels_
    return labels


def ours(name: str, device: str) -> Run:
    """One of this project's backends, from points to labels."""
    backend = open_backend(name, torch.device(device))
    return lambda points, clusters, start: (
        backend.run([seeded(points, clusters, clip_generator(start, 0, "clip"))], 100)[0].labels
    )


def implementations() -> dict[str, Run | None]:
    """By name; None for what is not there."""
    found: dict[str, Run | None] = {"scikit-learn": None, "maskvos, faiss": ours("faiss", "cpu")}
    try:
        import sklearn  # noqa: F401

        found["scikit-learn"] = scikit_learn
    except ImportError:
        pass
    return found | {"maskvos, torch on the GPU": ours("torch", "cuda") if torch.cuda.is_available() else None}


def smooth(grid: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Features like a video's: regions of alike cells that last for some frames, and noise."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn(1, grid[3], max(1, grid[0] // 9), 4, 6, generator=generator)
    regions = functional.interpolate(coarse, grid[:3], mode="trilinear")[0].permute(1, 2, 3, 0)
    features: np.ndarray = (regions + 0.5 * torch.randn(*grid, generator=generator)).numpy()
    return features


def compare(features: np.ndarray, clusters: int, weight: float, starts: int) -> list[list[str]]:
    """The table's rows: seconds of the quickest start and of the middle one, times as fast, objective."""
    points = space_time_points(features, weight)
    runs = implementations()
    times: dict[str, list[float]] = {name: [] for name in runs}
    reached: dict[str, list[float]] = {name: [] for name in runs}
    for start in range(starts + 1):  # one more, which does not count
        for name, run in runs.items():
            if run is None:
                continue
            began = time.perf_counter()
            labels = run(points, clusters, start)
            times[name].append(time.perf_counter() - began)
            reached[name].append(objective(points, labels))
    first = "scikit-learn" if times["scikit-learn"] else "maskvos, faiss"
    rows = []
    for name in runs:
        if not times[name]:
            rows.append([name, MISSING, "–", "–", "–", "–"])
            continue
        best, middle = min(times[name][1:]), float(np.median(times[name][1:]))
        base = min(times[first][1:]), float(np.median(times[first][1:]))
        change = 100 * (np.mean(reached[name][1:]) / np.mean(reached[first][1:]) - 1)
        ratios = [f"{base[0] / best:.1f}", f"{base[1] / middle:.1f}"]
        rows.append([name, f"{best:.3f}", f"{middle:.3f}", *ratios, f"{change:+.3f}"])
    return rows


def main() -> None:
    """Print a table for each set of features, and where it was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", type=Path, nargs="*", default=[], help="further sets: .npy files (T, h, w, D)")
    parser.add_argument("--clusters", type=int, default=5)
    parser.add_argument("--weight", type=float, default=0.5, help="of the position code; default: 0.5")
    parser.add_argument("--starts", type=int, default=10)
    parser.add_argument("--threads", type=int, default=0, help="default: all cores")
    args = parser.parse_args()
    threads = args.threads or len(os.sched_getaffinity(0))
    torch.set_num_threads(threads)
    faiss.omp_set_num_threads(threads)  # the OpenMP that scikit-learn runs on, too
    sets = {f"regions and noise {grid}": smooth(grid) for grid in GRIDS}
    sets |= {path.stem: np.load(path) for path in args.features}
    for name, features in sets.items():
        rows = compare(features, args.clusters, args.weight, args.starts)
        columns = [name, "best, s", "median, s", "times as fast", "by the median", "objective, %"]
        print(markdown_table(Table(columns, [Line(row[0], [Cell(text) for text in row[1:]]) for row in rows])) + "\n")
    print(f"{processor()}, {threads} threads, accelerator: {accelerator()}, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
