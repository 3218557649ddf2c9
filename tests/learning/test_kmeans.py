"""Lloyd's iterations against plain float64 loops and brute force."""

import itertools
import os
import subprocess
import sys

import numpy as np
import pytest

from maskvos.learning.kmeans import CHUNK, STILL, average, lloyd
from maskvos.learning.kmeans_start import seeded
from tests.learning.plain_kmeans import emptied_late, plain_lloyd


def kmeans(points, clusters, iterations, generator):
    return lloyd(*seeded(points, clusters, generator), iterations)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("iterations", [1, 3, 100])
def test_lloyd_equals_plain_loops(seed, iterations):
    generator = np.random.default_rng(seed)
    points = generator.standard_normal((150, 7)).astype(np.float32)
    start = points[generator.choice(150, 4, replace=False)]
    labels, objective, count = plain_lloyd(points, start, iterations)
    result = lloyd(points, start, iterations)
    np.testing.assert_array_equal(result.labels, labels)
    assert result.iterations == count
    assert result.objective == pytest.approx(objective, rel=1e-5)


@pytest.mark.parametrize("seed", range(6))
def test_emptied_clusters_as_in_plain_loops(seed):
    """Starts far from the data lose all their points, two or three at a time."""
    generator = np.random.default_rng(seed)
    points = generator.standard_normal((40, 3)).astype(np.float32)
    start = np.concatenate([points[:2], 50 + generator.standard_normal((2 + seed % 2, 3))]).astype(np.float32)
    labels, objective, count = plain_lloyd(points, start, 50)
    result = lloyd(points, start, 50)
    np.testing.assert_array_equal(result.labels, labels)
    assert (result.iterations, len(set(result.labels))) == (count, len(start))
    assert result.objective == pytest.approx(objective, rel=1e-5)


def test_result_is_a_fixed_point_of_many_updates(monkeypatch):
    """The running sums do not drift: means computed afresh lead to the same labels."""
    monkeypatch.setattr("maskvos.learning.kmeans.STILL", 0.0)
    points = np.random.default_rng(0).standard_normal((4000, 16)).astype(np.float32)
    result = kmeans(points, 6, 1000, np.random.default_rng(1))
    assert 20 < result.iterations < 1000
    means = np.stack([points[result.labels == k].mean(0, dtype=np.float64) for k in range(6)])
    distances = ((points[:, None].astype(np.float64) - means) ** 2).sum(-1)
    np.testing.assert_array_equal(result.labels, distances.argmin(1))
    assert result.objective == pytest.approx(distances.min(1).mean(), rel=1e-5)


def test_it_ends_where_few_points_still_change():
    """By the definition: the first iteration that changes at most the share STILL, or the last that is allowed."""
    points = np.random.default_rng(0).standard_normal((4000, 16)).astype(np.float32)
    result = lloyd(points, points[:6], 1000)
    labels = [lloyd(points, points[:6], count).labels for count in range(1, result.iterations + 1)]
    changes = [np.count_nonzero(one != other) for one, other in itertools.pairwise(labels)]
    assert 5 < result.iterations < 200
    assert min(changes[:-1]) > STILL * 4000 >= changes[-1] > 0
    np.testing.assert_array_equal(result.labels, labels[-1])


@pytest.mark.parametrize("count", [40, CHUNK, 3 * CHUNK + 5])
def test_means_of_clusters_whatever_the_number_of_points(count):
    generator = np.random.default_rng(count)
    points = generator.standard_normal((count, 12)).astype(np.float32)
    labels = generator.integers(3, size=count)
    found = average(points, labels, np.full((4, 12), 7.0, np.float32))
    for cluster in range(3):
        np.testing.assert_allclose(found[cluster], points[labels == cluster].mean(0, dtype=np.float64), atol=1e-6)
    assert (found[3] == 7).all()  # without points it stays


def test_an_empty_cluster_is_no_end():
    assert np.bincount(lloyd(*emptied_late(), 50).labels).tolist() == [2001, 2000, 1]


def test_best_of_many_starts_is_the_optimum_of_tiny_data():
    points = np.random.default_rng(3).standard_normal((9, 2)).astype(np.float32)

    def cost(assignment):
        groups = [points[np.array(assignment) == k] for k in range(3)]
        return sum(((g - g.mean(0)) ** 2).sum() for g in groups if len(g)) / len(points)

    optimum = min(cost(assignment) for assignment in itertools.product(range(3), repeat=9))
    best = min(kmeans(points, 3, 50, np.random.default_rng(seed)).objective for seed in range(40))
    assert best == pytest.approx(optimum, rel=1e-5)


def test_emptied_cluster_restarts_at_the_farthest_point():
    points = np.array([[0.0], [0.1], [0.2], [10.0], [11.0], [30.0]], np.float32)
    start = np.array([[0.1], [10.5], [-500.0]], np.float32)  # the third attracts nothing
    result = lloyd(points, start, 50)
    np.testing.assert_array_equal(result.labels, [0, 0, 0, 1, 1, 2])


def test_two_emptied_clusters_take_two_different_points():
    points = np.array([[0.0], [1.0], [20.0], [50.0]], np.float32)
    result = lloyd(points, np.array([[0.0], [-900.0], [-800.0]], np.float32), 50)
    np.testing.assert_array_equal(result.labels, [0, 0, 2, 1])


def test_an_emptied_cluster_takes_no_cluster_s_only_point():
    points, start = np.array([[0.0], [0.1], [10.0]], np.float32), np.array([[0.0], [8.0], [-500.0]], np.float32)
    np.testing.assert_array_equal(plain_lloyd(points, start, 9)[0], [0, 2, 1])
    np.testing.assert_array_equal(lloyd(points, start, 9).labels, [0, 2, 1])


def test_fewer_different_points_than_clusters():
    points = np.repeat(np.array([[0.0, 1.0], [1.0, 0.0]], np.float32), 5, axis=0)
    result = kmeans(points, 4, 10, np.random.default_rng(0))
    assert result.objective == 0 and len(set(result.labels)) == 2
    assert kmeans(points[:1], 3, 10, np.random.default_rng(0)).labels.tolist() == [0]


def test_same_bits_whatever_the_number_of_threads():
    program = (
        "import hashlib, faiss, numpy as np; from maskvos.learning.kmeans import lloyd\n"
        "from maskvos.learning.kmeans_start import clip_generator, seeded\n"
        "x = np.random.default_rng(0).standard_normal((9000, 128)).astype(np.float32)\n"
        "r = lloyd(*seeded(x, 5, clip_generator(0, 0, 'clip')), 30)\n"
        "print(faiss.omp_get_max_threads(), hashlib.sha256(r.labels.tobytes()).hexdigest(), r.objective.hex())"
    )
    outcomes = []
    for threads in ("1", "3"):
        environment = os.environ | {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        run = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        used, *outcome = run.stdout.split()
        assert used == threads
        outcomes.append(outcome)
    assert outcomes[0] == outcomes[1]
