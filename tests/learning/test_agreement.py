"""The adjusted Rand index against counting over all pairs of pixels."""

import itertools

import numpy as np
import pytest

from maskvos.learning.agreement import adjusted_rand_index


def reference(first, second):
    """Hubert and Arabie's formula with every pair of pixels looked at."""
    together = first_pairs = second_pairs = every = 0
    for i, j in itertools.combinations(range(len(first)), 2):
        a, b = first[i] == first[j], second[i] == second[j]
        together, first_pairs, second_pairs, every = together + (a and b), first_pairs + a, second_pairs + b, every + 1
    expected = first_pairs * second_pairs / every
    return (together - expected) / ((first_pairs + second_pairs) / 2 - expected)


@pytest.mark.parametrize("seed", range(8))
def test_counting_pairs(seed):
    generator = np.random.default_rng(seed)
    first = generator.integers(0, 4, 60).astype(np.uint8)
    second = np.where(generator.random(60) < 0.6, first, generator.integers(0, 6, 60)).astype(np.uint8)
    assert adjusted_rand_index(first, second) == pytest.approx(reference(first, second))


def test_names_of_segments_do_not_matter():
    first = np.random.default_rng(0).integers(0, 5, (3, 8, 9)).astype(np.uint8)
    renamed = np.array([3, 0, 4, 1, 2], np.uint8)[first]
    assert adjusted_rand_index(first, renamed) == pytest.approx(1)


def test_single_segments():
    nothing = np.zeros((2, 3, 4), np.uint8)
    assert adjusted_rand_index(nothing, nothing) == 1
    assert adjusted_rand_index(nothing, np.arange(24).reshape(2, 3, 4)) == 0
