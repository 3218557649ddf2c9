"""Sinkhorn-Knopp against plain float64 loops that scale the matrix itself, as its sources write it."""

import math

import numpy as np
import pytest
import torch

from maskvos.learning.sinkhorn import sinkhorn


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def reference(scores, iterations):
    """SwAV's algorithm: a prototype's weights sum to 1/P, then a sample's to 1/N, in turn; at last a sample's to 1."""
    samples, prototypes = len(scores), len(scores[0])
    weights = [[math.exp(value) for value in row] for row in scores]
    total = sum(sum(row) for row in weights)
    weights = [[value / total for value in row] for row in weights]
    for _ in range(iterations):
        for p in range(prototypes):
            column = sum(weights[n][p] for n in range(samples))
            for n in range(samples):
                weights[n][p] /= column * prototypes
        for n in range(samples):
            row = sum(weights[n])
            for p in range(prototypes):
                weights[n][p] /= row * samples
    return [[value * samples for value in row] for row in weights]


@pytest.mark.parametrize("iterations", [1, 2, 3, 7])
@pytest.mark.parametrize("shape", [(6, 4), (3, 8), (1, 5)])
def test_equals_plain_loops(shape, iterations):
    scores = np.random.default_rng(iterations).uniform(-8, 8, shape)
    found = sinkhorn(torch.from_numpy(scores), iterations)
    np.testing.assert_allclose(found, reference(scores.tolist(), iterations), rtol=1e-10)


def test_samples_are_exact_and_prototypes_come_to_share_alike():
    scores = torch.randn(12, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 5
    few, many = sinkhorn(scores, 1), sinkhorn(scores, 200)
    for found in (few, many):
        torch.testing.assert_close(found.sum(dim=1), torch.ones(12, dtype=torch.float64))
    torch.testing.assert_close(many.sum(dim=0), torch.full((4,), 3.0, dtype=torch.float64))
    assert (few.sum(dim=0) - 3).abs().max() > 0.1


def test_one_prototype_that_all_prefer_is_not_all_they_get():
    """What a softmax would collapse to."""
    scores = torch.zeros(8, 4)
    scores[:, 2] = 20.0
    torch.testing.assert_close(sinkhorn(scores, 3), torch.full((8, 4), 0.25))


def test_powers_beyond_float32_do_not_overflow():
    scores = torch.tensor([[1000.0, 0.0], [0.0, 1000.0]])
    torch.testing.assert_close(sinkhorn(scores, 3), torch.eye(2))
