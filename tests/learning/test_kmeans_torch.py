"""k-means in torch: plain float64 loops, and the same bits whatever the batch, the order of sums and the threads."""

import itertools

import numpy as np
import pytest
import torch

from maskvos.learning.kmeans import STILL, Start
from maskvos.learning.kmeans_start import clip_generator, seeded
from maskvos.learning.kmeans_torch import _assign, _load, _move, grid_bits, lloyd_batch
from tests.learning.plain_kmeans import emptied_late, plain_lloyd

CPU = torch.device("cpu")


def start(seed, count, channels=7, clusters=4, scale=1.0):
    points = scale * np.random.default_rng(seed).standard_normal((count, channels))
    return seeded(points.astype(np.float32), clusters, clip_generator(seed, 0, "clip"))


def bits(result):
    return result.labels.tobytes(), result.objective.hex(), result.iterations


@pytest.mark.parametrize("iterations", [1, 2, 3, 100])
def test_clips_of_different_length_equal_plain_loops(iterations):
    starts = [start(seed, count, scale=10.0 ** (seed - 2)) for seed, count in enumerate((150, 40, 90, 4, 61))]
    results = lloyd_batch(starts, iterations, CPU)
    for one, result in zip(starts, results, strict=True):
        labels, objective, count = plain_lloyd(*one, iterations)
        np.testing.assert_array_equal(result.labels, labels)
        assert result.labels.dtype == np.int64 and result.iterations == count
        assert result.objective == pytest.approx(objective, rel=1e-5, abs=1e-12)
    assert iterations < 100 or len({result.iterations for result in results}) > 2  # each ends when it is done


def test_a_clip_ends_where_few_of_its_own_points_change():
    """Beside a longer one, whose padding would otherwise count: as many iterations as alone, and as the plain rule."""
    short, long = start(0, 2000, 16), start(1, 5000, 16)
    for one, result in zip((short, long), lloyd_batch([short, long], 500, CPU), strict=True):
        labels = [lloyd_batch([one], count, CPU)[0].labels for count in range(1, result.iterations + 1)]
        changes = [np.count_nonzero(a != b) for a, b in itertools.pairwise(labels)]
        assert min(changes[:-1]) > STILL * len(one.points) >= changes[-1] > 0


def test_an_empty_cluster_is_no_end():
    assert np.bincount(lloyd_batch([Start(*emptied_late())], 50, CPU)[0].labels).tolist() == [2001, 2000, 1]


@pytest.mark.parametrize("seed", range(6))
def test_emptied_clusters_as_in_plain_loops(seed):
    generator = np.random.default_rng(seed)
    points = generator.standard_normal((40, 3)).astype(np.float32)
    far = np.concatenate([points[:2], 50 + generator.standard_normal((2, 3))]).astype(np.float32)
    starts = [start(8, 30, 3), Start(points, far), start(9, 70, 3)]
    for one, result in zip(starts, lloyd_batch(starts, 50, CPU), strict=True):
        labels, objective, count = plain_lloyd(*one, 50)
        np.testing.assert_array_equal(result.labels, labels)
        assert result.iterations == count
        assert result.objective == pytest.approx(objective, rel=1e-4)


def test_ties_go_to_the_lower_cluster():
    points = np.array([[0.0], [1.0], [2.0]], np.float32)
    result = lloyd_batch([Start(points, np.array([[2.0], [0.0]], np.float32))], 1, CPU)[0]
    np.testing.assert_array_equal(result.labels, [1, 0, 0])


def test_fewer_different_points_than_clusters():
    points = np.repeat(np.array([[0.0, 1.0], [1.0, 0.0]], np.float32), 5, axis=0)
    alike = np.zeros((6, 2), np.float32)
    starts = [seeded(values, 4, np.random.default_rng(0)) for values in (points, points[:1], alike)]
    results = lloyd_batch(starts, 10, CPU)
    assert [len(set(result.labels)) for result in results] == [2, 1, 1]
    assert all(result.objective == 0 and result.iterations < 10 for result in results)


@pytest.mark.parametrize("channels", [1, 2, 3, 100, 128, 129, 512, 1024])
def test_grid_leaves_no_sum_to_round(channels):
    largest = 2 ** grid_bits(channels)
    assert 4 * channels * largest**2 <= 2**53  # two opposite corners: the largest squared distance there is
    assert 4 * channels * (4 * largest) ** 2 > 2**53  # nor are more than one bit and a rounding of D given away


def test_every_distance_is_exact_in_whole_numbers():
    """Python's integers, which never round; the largest coordinates that the grid allows are among them."""
    starts = [start(0, 30, 128), start(1, 12, 128)]
    starts[1].points[:2] = [[0.9999999], [-0.9999999]] * np.ones((1, 128), np.float32)
    batch, _ = _load(starts, CPU)
    for _ in range(4):
        distances, nearest = _assign(batch)
        for clip, one in enumerate(starts):
            points, centroids = (
                [[*map(int, row)] for row in values[clip].tolist()] for values in (batch.points, batch.centroids)
            )
            assert centroids == batch.centroids[clip].tolist()  # means are back on the grid
            for place in range(len(one.points)):
                squares = [sum((a - b) ** 2 for a, b in zip(points[place], c, strict=True)) for c in centroids]
                assert int(distances[clip, place]) == min(squares)
                assert int(nearest[clip, place]) == squares.index(min(squares))
        batch = _move(batch, nearest, distances)


@pytest.mark.parametrize("channels", [3, 128, 512])
def test_no_order_of_the_sums_changes_a_bit(channels):
    """Channels shuffled, points shuffled: rounded sums would come out with other last bits."""
    generator = np.random.default_rng(channels)
    one = start(1, 700, channels)
    shuffled = generator.permutation(channels)
    other = Start(np.ascontiguousarray(one.points[:, shuffled]), np.ascontiguousarray(one.centroids[:, shuffled]))
    order = generator.permutation(len(one.points))
    first, second, third = lloyd_batch([one, other, Start(one.points[order], one.centroids)], 25, CPU)
    assert bits(first) == bits(second)
    np.testing.assert_array_equal(third.labels, first.labels[order])
    assert third.iterations == first.iterations


def test_no_batch_order_or_threads_change_a_bit():
    lengths = (300, 1200, 77, 640, 5, 301)
    starts = {seed: start(seed, count, 32) for seed, count in enumerate(lengths)}
    alone = {seed: bits(lloyd_batch([one], 60, CPU)[0]) for seed, one in starts.items()}
    before = torch.get_num_threads()
    try:
        for threads, order in ((1, (0, 1, 2, 3, 4, 5)), (3, (5, 3, 1, 0, 2, 4)), (2, (4, 2)), (3, (1, 1, 0))):
            torch.set_num_threads(threads)
            results = lloyd_batch([starts[seed] for seed in order], 60, CPU)
            assert [bits(result) for result in results] == [alone[seed] for seed in order]
    finally:
        torch.set_num_threads(before)


def test_autocast_and_deterministic_algorithms_change_nothing():
    """What the stage has switched on around it."""
    starts = [start(0, 200, 16), start(1, 300, 16)]
    plain = [bits(result) for result in lloyd_batch(starts, 40, CPU)]
    torch.use_deterministic_algorithms(True)
    try:
        with torch.autocast("cpu", torch.bfloat16):
            assert [bits(result) for result in lloyd_batch(starts, 40, CPU)] == plain
    finally:
        torch.use_deterministic_algorithms(False)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_the_same_bits():
    starts = [start(seed, count, 128, 5) for seed, count in enumerate((3000, 20_000, 777))]
    expected = [bits(result) for result in lloyd_batch(starts, 100, CPU)]
    assert [bits(result) for result in lloyd_batch(starts, 100, torch.device("cuda"))] == expected


def test_a_cluster_that_stays_empty_keeps_its_place():
    """Moved to the origin instead, it would take the points there from a later cluster."""
    points, seeds = np.array([[1.0], [1.0], [0.0], [0.0]], np.float32), np.array([[1.0], [1.0], [0.0]], np.float32)
    result = lloyd_batch([Start(points, seeds)], 9, CPU)[0]
    np.testing.assert_array_equal(result.labels, plain_lloyd(points, seeds, 9)[0])


def test_inputs_are_left_alone():
    one = start(0, 50)
    before = one.points.tobytes(), one.centroids.tobytes()
    lloyd_batch([one], 10, CPU)
    assert (one.points.tobytes(), one.centroids.tobytes()) == before
