"""Pseudo masks: points, the 40 % rule, numbering, statistics, and a clip whose segments are known."""

import numpy as np
import pytest

from maskvos.learning.kmeans import lloyd
from maskvos.learning.kmeans_start import clip_generator
from maskvos.learning.position import position_code
from maskvos.learning.pseudo_masks import (
    clip_statistics,
    keep_clusters,
    pseudo_masks,
    space_time_points,
    start_clustering,
    summarise,
)
from maskvos.params.method import Clustering


def settings(**changes):
    values = {
        "clusters": 4,
        "iterations": 50,
        "short_side": 64,
        "features": "embedding",
        "border": 0,
        "position_weight": 0.5,
    }
    return Clustering(**(values | {"oversize": 0.4} | changes))


def cluster(features, method, generator):
    start = start_clustering(features, method, generator)
    return pseudo_masks(lloyd(*start, method.iterations), features.shape[:3], method)


def test_points_are_feature_plus_weighted_place():
    features = np.random.default_rng(0).standard_normal((3, 4, 5, 16)).astype(np.float32)
    points = space_time_points(features, 0.5)
    code = position_code(3, 4, 5, 16)
    for row, place in enumerate(np.ndindex(3, 4, 5)):
        feature = features[place].astype(np.float64)
        np.testing.assert_allclose(points[row], feature / np.sqrt((feature**2).sum()) + 0.5 * code[place], atol=1e-6)


def test_the_rule_leaves_out_more_than_the_share_and_numbers_by_size():
    # 20 pixels: cluster 0 has 3, cluster 1 has 9 (45 %), cluster 2 none, cluster 3 has 8 (exactly 40 %)
    assignment = np.array([0] * 3 + [1] * 9 + [3] * 8).reshape(1, 4, 5)
    labels, sizes, kept = keep_clusters(assignment, 4, 0.4)
    np.testing.assert_array_equal(labels.ravel(), [2] * 3 + [0] * 9 + [1] * 8)
    assert labels.dtype == np.uint8 and labels.shape == (1, 4, 5)
    assert sizes == [9, 8, 3] and kept == 2


def test_equal_sizes_keep_the_order_of_clusters():
    labels, _, _ = keep_clusters(np.array([2, 2, 0, 0, 1, 1]).reshape(1, 2, 3), 3, 0.4)
    np.testing.assert_array_equal(labels.ravel(), [3, 3, 1, 1, 2, 2])


@pytest.mark.parametrize("seed", range(4))
def test_the_rule_against_plain_loops(seed):
    generator = np.random.default_rng(seed)
    assignment = generator.choice(6, (3, 7, 5), p=[0.45, 0.2, 0.15, 0.1, 0.06, 0.04])
    labels, _, kept = keep_clusters(assignment, 6, 0.3)
    shares = {k: (assignment == k).mean() for k in range(6) if (assignment == k).any()}
    survivors = sorted((k for k in shares if shares[k] <= 0.3), key=lambda k: (-shares[k], k))
    assert kept == len(survivors)
    for place in np.ndindex(assignment.shape):
        cluster = assignment[place]
        assert labels[place] == (survivors.index(cluster) + 1 if cluster in survivors else 0)


def test_nothing_left_is_all_background():
    features = np.random.default_rng(0).standard_normal((2, 4, 4, 16)).astype(np.float32)
    masks = cluster(features, settings(clusters=2, oversize=0.2), clip_generator(0, 0, "clip"))
    assert masks.kept == 0 and not masks.labels.any() and sum(masks.sizes) == 32


def test_regions_of_a_known_clip_come_out():
    """A square that moves right over a split background: three features, space-time segments known."""
    truth = np.zeros((6, 12, 20), int)
    truth[:, :, 10:] = 1
    for frame in range(6):
        truth[frame, 4:8, 3 + 2 * frame : 7 + 2 * frame] = 2
    generator = np.random.default_rng(1)
    features = np.eye(3, 32)[truth] + 0.05 * generator.standard_normal((6, 12, 20, 32))
    masks = cluster(features.astype(np.float32), settings(clusters=3, oversize=0.9), clip_generator(0, 0, "a"))
    pairs = set(zip(truth.ravel().tolist(), masks.labels.ravel().tolist(), strict=True))
    assert len(pairs) == 3 and masks.kept == 3
    assert (masks.labels[truth == 2] == 3).all()  # the smallest segment bears the last number


def test_a_clip_does_not_depend_on_others():
    features = {name: np.random.default_rng(i).standard_normal((2, 6, 6, 16)) for i, name in enumerate("abc")}

    def run(order):
        return {n: cluster(features[n], settings(), clip_generator(5, 1, n)).labels.tobytes() for n in order}

    together = run("abc")
    assert run("cba") == together
    assert run("b") == {"b": together["b"]}


def test_statistics_and_summary():
    features = np.random.default_rng(0).standard_normal((2, 5, 5, 16)).astype(np.float32)
    masks = cluster(features, settings(oversize=0.3), clip_generator(0, 0, "clip"))
    entry = clip_statistics(masks)
    assert entry["shape"] == [2, 5, 5] and sum(entry["sizes"]) == 50
    assert entry["oversized_share"] == pytest.approx((masks.labels == 0).mean(), abs=1e-6)
    assert entry["kept"] == masks.labels.max()
    empty = {**entry, "kept": 0, "oversized_share": 1.0}
    whole = {**entry, "sizes": [50], "shares": [1.0]}
    shares = summarise({"a": entry, "b": whole, "c": whole}, 4)
    assert shares["largest_share_mean"] == pytest.approx((entry["shares"][0] + 2) / 3, abs=1e-6)
    assert shares["clips_with_one_cluster"] == 2
    summary = summarise({"a": entry, "b": empty}, 4)
    assert summary["clips"] == 2 and summary["clips_with_nothing_left"] == 1
    assert summary["kept_mean"] == entry["kept"] / 2
    assert summary["oversized_share_mean"] == pytest.approx((entry["oversized_share"] + 1) / 2)
    assert sum(summary["kept_histogram"].values()) == 2
    assert summary["largest_share_mean"] == pytest.approx(max(entry["sizes"]) / 50)
