"""Pseudo masks of one clip: its pixels clustered over space and time, clusters that are too large left out (Eq. 4)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from maskvos.learning.kmeans import Clusters, Start
from maskvos.learning.kmeans_start import seeded
from maskvos.learning.position import position_code
from maskvos.params.method import Clustering


@dataclass(frozen=True)
class PseudoMasks:
    """What clustering made of one clip.

    Attributes:
        labels: (T, h, w) uint8; 0 is background, 1..M' the surviving clusters from the largest to the smallest. All
            zeros where nothing survived.
        sizes: pixels of every cluster, oversized ones included, in decreasing order.
        kept: M', the number of surviving clusters.
        iterations: of k-means.
        objective: mean squared distance of a point to its cluster's centre.
    """

    labels: np.ndarray
    sizes: list[int]
    kept: int
    iterations: int
    objective: float


def start_clustering(features: np.ndarray, settings: Clustering, generator: np.random.Generator) -> Start:
    """All the pixels of one clip as points, and the seeds of its clusters.

    Args:
        features: (T, h, w, D) float32, finite; any length, they are L2-normalised here.
        settings: number of clusters and weight of the position code.
        generator: of this clip and round (`maskvos.learning.kmeans_start.clip_generator`).
    """
    return seeded(space_time_points(features, settings.position_weight), settings.clusters, generator)


def pseudo_masks(clusters: Clusters, grid: tuple[int, ...], settings: Clustering) -> PseudoMasks:
    """Of one clip's clusters those that may be objects.

    Args:
        clusters: of the clip's T h w pixels.
        grid: (T, h, w).
        settings: number of clusters, share above which a cluster is background.
    """
    labels, sizes, kept = keep_clusters(clusters.labels.reshape(grid), settings.clusters, settings.oversize)
    return PseudoMasks(labels, sizes, kept, clusters.iterations, clusters.objective)


def space_time_points(features: np.ndarray, position_weight: float) -> np.ndarray:
    """(T, h, w, D) features to (T h w, D) float32: L2-normalised feature + weight x L2-normalised position code.

    Both have length 1, so that the weight says how much place counts beside appearance.
    """
    normalised = features / np.maximum(np.linalg.norm(features, axis=-1, keepdims=True), 1e-12)
    points = normalised + np.float32(position_weight) * position_code(*features.shape)
    return np.ascontiguousarray(points.reshape(-1, features.shape[-1]), np.float32)


def keep_clusters(assignment: np.ndarray, clusters: int, oversize: float) -> tuple[np.ndarray, list[int], int]:
    """The 40 % rule: a cluster with more than ``oversize`` of the clip's pixels becomes background.

    Args:
        assignment: (T, h, w) cluster of each pixel, 0 .. ``clusters`` - 1.
        clusters: at most 255.
        oversize: share in (0, 1].

    Returns:
        Labels (T, h, w) uint8 as in ``PseudoMasks``, the sizes of all non-empty clusters in decreasing order, and the
        number kept. Among equal sizes the lower cluster number comes first.
    """
    counts = np.bincount(assignment.ravel(), minlength=clusters)
    order = [cluster for cluster in np.argsort(-counts, kind="stable") if counts[cluster] > 0]
    survivors = [cluster for cluster in order if counts[cluster] / assignment.size <= oversize]
    renumbered = np.zeros(clusters, np.uint8)
    renumbered[survivors] = np.arange(1, len(survivors) + 1)
    return renumbered[assignment], [int(counts[cluster]) for cluster in order], len(survivors)


def clip_statistics(masks: PseudoMasks) -> dict[str, Any]:
    """One clip's entry in clustering.json; shares are of the clip's pixels, rounded to six digits."""
    pixels = masks.labels.size
    return {
        "shape": list(masks.labels.shape),
        "sizes": masks.sizes,
        "shares": [round(size / pixels, 6) for size in masks.sizes],
        "kept": masks.kept,
        "oversized_share": round(sum(masks.sizes[: len(masks.sizes) - masks.kept]) / pixels, 6),
        "iterations": masks.iterations,
        "objective": round(masks.objective, 6),
    }


def summarise(clips: dict[str, dict[str, Any]], clusters: int) -> dict[str, Any]:
    """The summary of clustering.json: means over the clips, each clip counting the same.

    Where clips were compared with the round before (`maskvos.learning.agreement`), so is the mean over these clips.
    """

    def mean(key: str) -> float:
        return round(float(np.mean([clip[key] for clip in clips.values() if key in clip])), 6)

    kept = [clip["kept"] for clip in clips.values()]
    summary = {
        "clips": len(clips),
        "kept_mean": mean("kept"),
        "kept_histogram": {str(number): kept.count(number) for number in range(clusters + 1)},
        "largest_share_mean": round(float(np.mean([clip["shares"][0] for clip in clips.values()])), 6),
        "oversized_share_mean": mean("oversized_share"),
        "clips_with_oversized": sum(clip["oversized_share"] > 0 for clip in clips.values()),
        "clips_with_nothing_left": kept.count(0),
        "clips_with_one_cluster": sum(len(clip["sizes"]) == 1 for clip in clips.values()),
        "iterations_mean": mean("iterations"),
        "objective_mean": mean("objective"),
    }
    compared = sum("agreement" in clip for clip in clips.values())
    return summary | ({"agreement_mean": mean("agreement"), "clips_compared": compared} if compared else {})
