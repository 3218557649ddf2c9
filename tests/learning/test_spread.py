"""Similarity of pixel pairs and effective rank against plain float64 loops."""

import math

import numpy as np
import pytest
import torch

from maskvos.learning.spread import PIXELS, effective_rank, pair_similarity, sample_pixels


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def unit(shape, seed=0, shift=0.0):
    vectors = np.random.default_rng(seed).standard_normal(shape) + shift
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def reference_similarity(features):
    """One pair of pixels at a time: of different frames, or of one frame's different places."""
    frames, count = features.shape[:2]
    cosines = []
    for a in range(frames):
        for i in range(count):
            for b in range(frames):
                for j in range(count):
                    if a != b or (frames == 1 and i != j):
                        cosines.append(sum(x * y for x, y in zip(features[a, i], features[b, j], strict=True)))
    return sum(cosines) / len(cosines)


def reference_rank(features):
    """Roy and Vetterli's definition, the covariance's entries written out."""
    count, size = features.shape
    means = [sum(row[d] for row in features) / count for d in range(size)]
    covariance = [
        [sum((row[a] - means[a]) * (row[b] - means[b]) for row in features) / count for b in range(size)]
        for a in range(size)
    ]
    values = [max(value, 0.0) for value in np.linalg.eigvalsh(np.array(covariance))]
    shares = [value / sum(values) for value in values]
    return math.exp(-sum(share * math.log(share) for share in shares if share > 0))


@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 1, 3), (1, 6, 4), (5, 2, 2)])
@pytest.mark.parametrize("shift", [0.0, 2.0])
def test_similarity_equals_a_loop_over_pairs(shape, shift):
    features = unit(shape, sum(shape), shift)
    assert pair_similarity(torch.from_numpy(features)) == pytest.approx(reference_similarity(features), rel=1e-10)


def test_similarity_of_what_is_known():
    assert pair_similarity(torch.ones(4, 3, 1, dtype=torch.float64)) == 1
    opposite = torch.tensor([[[1.0, 0]], [[-1.0, 0]]], dtype=torch.float64)
    assert pair_similarity(opposite) == -1
    assert pair_similarity(torch.eye(6, dtype=torch.float64)[:, None]) == 0
    assert math.isnan(pair_similarity(torch.ones(1, 1, 2)))


def test_pixels_of_one_frame_make_no_pair():
    """Two frames, each of one colour: alike within, not between."""
    assert pair_similarity(torch.eye(2, dtype=torch.float64)[:, None].expand(2, 7, 2)) == 0


@pytest.mark.parametrize("shape", [(40, 5), (6, 9), (2, 3)])
def test_effective_rank_equals_the_definition(shape):
    features = np.random.default_rng(shape[0]).standard_normal(shape) * np.linspace(0.2, 3, shape[1]) + 5
    assert effective_rank(torch.from_numpy(features)) == pytest.approx(reference_rank(features), rel=1e-8)


def test_effective_rank_of_what_is_known():
    axes = torch.cat([torch.eye(6), -torch.eye(6)]).double()
    assert effective_rank(axes) == pytest.approx(6)  # alike in all directions
    assert effective_rank(3 + 10 * axes) == pytest.approx(6)  # wherever the features lie and however long they are
    line = torch.linspace(-1, 1, 9, dtype=torch.float64)[:, None] * torch.tensor([1.0, 2, 3], dtype=torch.float64)
    assert effective_rank(line) == pytest.approx(1)
    assert effective_rank(torch.ones(5, 4, dtype=torch.float64)) == 1
    assert effective_rank(torch.zeros(5, 4, dtype=torch.float64)) == 1
    assert math.isnan(effective_rank(torch.full((5, 4), float("nan"))))


def test_rounding_around_a_point_is_no_direction():
    still = torch.full((50, 8), 8**-0.5) + 1e-8 * torch.randn(50, 8, generator=torch.Generator().manual_seed(0))
    assert effective_rank(still.double()) == 1


def test_a_sample_has_the_same_places_of_each_frame_at_unit_length():
    maps = torch.randn(16, 3, 20, 30, generator=torch.Generator().manual_seed(1))
    maps[:, 0] = torch.arange(600.0).view(20, 30)  # each place bears its number
    sample = sample_pixels(maps)
    assert sample.shape == (16, PIXELS // 16, 3) and sample.dtype == torch.float64
    torch.testing.assert_close(sample.norm(dim=2), torch.ones(16, PIXELS // 16, dtype=torch.float64))
    every = torch.nn.functional.normalize(maps.flatten(2).transpose(1, 2).double(), dim=2)
    found = [[int((every[b] - sample[b, i]).abs().sum(1).argmin()) for i in range(32)] for b in (0, 15)]
    assert found[0] == found[1] and len(set(found[0])) == 32
    for i, place in enumerate(found[0]):
        torch.testing.assert_close(sample[0, i], every[0, place])


def test_small_maps_are_taken_whole_and_large_batches_give_one_place_each():
    assert sample_pixels(torch.randn(4, 3, 2, 2)).shape == (4, 4, 3)
    assert sample_pixels(torch.randn(PIXELS + 8, 2, 2, 2)).shape == (PIXELS + 8, 1, 2)


def test_a_sample_leaves_random_numbers_and_gradients_alone():
    maps = torch.randn(2, 3, 4, 4, requires_grad=True)
    before = torch.random.get_rng_state()
    sample = sample_pixels(maps)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert not sample.requires_grad
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(sample_pixels(maps), sample)
    assert sample_pixels(maps.bfloat16()).dtype == torch.float64
