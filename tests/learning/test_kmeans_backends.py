"""The backends: one interface, the same seeds, objectives that agree; errors where faiss's GPU build is absent."""

import faiss
import numpy as np
import pytest
import torch

from maskvos.errors import UserError
from maskvos.learning.kmeans import lloyd
from maskvos.learning.kmeans_backends import BATCH, open_backend
from maskvos.learning.kmeans_start import clip_generator, seeded
from maskvos.learning.pseudo_masks import space_time_points

CPU = torch.device("cpu")


def random_points(seed):
    return np.random.default_rng(seed).standard_normal((1500 + 100 * seed, 24)).astype(np.float32)


def clustered_points(seed):
    generator = np.random.default_rng(seed)
    centres = generator.standard_normal((6, 24))
    return (centres[generator.integers(6, size=1500)] + 0.3 * generator.standard_normal((1500, 24))).astype(np.float32)


def clip_points(seed):
    return space_time_points(np.random.default_rng(seed).standard_normal((4, 16, 20, 128)).astype(np.float32), 0.5)


@pytest.mark.parametrize("make", [random_points, clustered_points, clip_points])
def test_objectives_agree_within_a_thousandth(make):
    starts = [seeded(make(seed), 5, clip_generator(seed, 0, "clip")) for seed in range(4)]
    one = open_backend("faiss", CPU).run(starts, 100)
    other = open_backend("torch", CPU).run(starts, 100)
    for first, second in zip(one, other, strict=True):
        assert second.objective == pytest.approx(first.objective, rel=1e-3)
    assert np.mean([(first.labels == second.labels).mean() for first, second in zip(one, other, strict=True)]) > 0.95


@pytest.mark.parametrize("name", ["faiss", "torch"])
def test_the_objective_is_that_of_the_labels(name):
    """From the definition: each point's squared distance to the mean of its own cluster, in float64."""
    start = seeded(clustered_points(3)[:330], 5, clip_generator(0, 0, "clip"))
    result = open_backend(name, CPU).run([start], 1000)[0]
    assert result.iterations < 1000  # at a fixed point the centroids are the means of the labels
    total = 0.0
    for cluster in range(5):
        own = start.points[result.labels == cluster].astype(np.float64)
        total += ((own - own.mean(0)) ** 2).sum()
    assert result.objective == pytest.approx(total / len(start.points), rel=1e-5)


def test_faiss_is_the_plain_way_from_many_threads():
    backend = open_backend("faiss", CPU)
    starts = [seeded(random_points(seed), 4, clip_generator(seed, 0, "clip")) for seed in range(2)]
    assert backend.batch is None
    for start, result in zip(starts, backend.run(starts, 30), strict=True):
        expected = lloyd(*start, 30)
        np.testing.assert_array_equal(result.labels, expected.labels)
        assert (result.objective, result.iterations) == (expected.objective, expected.iterations)


def test_torch_takes_batches_on_a_gpu():
    assert open_backend("torch", torch.device("cuda")).batch == BATCH
    assert open_backend("torch", CPU).batch == 1


@pytest.mark.skipif(hasattr(faiss, "StandardGpuResources"), reason="faiss's GPU build is installed")
def test_without_the_gpu_build_the_remedy_is_named():
    with pytest.raises(UserError, match=r"clustering.backend is 'faiss_gpu'.*maskvos\[faiss-gpu\].*envs/README.md"):
        open_backend("faiss_gpu", CPU)


def test_without_a_gpu_the_remedy_is_named(monkeypatch):
    monkeypatch.setattr(faiss, "StandardGpuResources", object, raising=False)
    monkeypatch.setattr(faiss, "get_num_gpus", lambda: 0, raising=False)
    with pytest.raises(UserError, match="sees no GPU here"):
        open_backend("faiss_gpu", CPU)


def test_the_gpus_nearest_centroids_take_faiss_place(monkeypatch):
    """A stand-in for faiss's GPU search: its distances, rounded below 0 as the expanded square may be."""
    calls = []

    def knn_gpu(resources, points, centroids, neighbours):
        calls.append(len(points))
        distances, nearest = faiss.knn(points, centroids, neighbours)
        return distances - np.float32(1e-7), nearest

    monkeypatch.setattr(faiss, "StandardGpuResources", object, raising=False)
    monkeypatch.setattr(faiss, "get_num_gpus", lambda: 1, raising=False)
    monkeypatch.setattr(faiss, "knn_gpu", knn_gpu, raising=False)
    backend = open_backend("faiss_gpu", CPU)
    starts = [
        seeded(random_points(0), 4, clip_generator(0, 0, "a")),
        seeded(np.ones((9, 2)), 3, clip_generator(0, 0, "b")),
    ]
    first, second = backend.run(starts, 30)
    expected = lloyd(*starts[0], 30)
    np.testing.assert_array_equal(first.labels, expected.labels)
    assert first.objective == pytest.approx(expected.objective, rel=1e-5)
    assert second.objective == 0 and calls.count(len(starts[0].points)) == expected.iterations
    assert backend.batch == 1  # a clip a call, from one thread: the GPU's resources are not to be shared


@pytest.mark.skipif(
    not hasattr(faiss, "StandardGpuResources") or not faiss.get_num_gpus(), reason="needs faiss's GPU build and a GPU"
)
def test_the_real_gpu_build_agrees():
    starts = [seeded(clip_points(seed), 5, clip_generator(seed, 0, "clip")) for seed in range(3)]
    for one, other in zip(
        open_backend("faiss", CPU).run(starts, 100), open_backend("faiss_gpu", CPU).run(starts, 100), strict=True
    ):
        assert other.objective == pytest.approx(one.objective, rel=1e-3)
