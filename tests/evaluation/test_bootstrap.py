"""The bootstrap against plain loops, and how often its interval holds the truth on simulated sets."""

import itertools
import math
import random

import numpy as np
import pytest

from maskvos.evaluation.bootstrap import (
    FEWEST,
    expanded_tail,
    paired_intervals,
    resampled_means,
    student_quantile,
)


def make_set(seed: int, sequences: int, shift: float = 0.01) -> list[list[float]]:
    """Differences of the objects of each sequence: what they share, and what is their own."""
    draw = np.random.default_rng(seed)
    sizes = draw.choice([1, 2, 3, 5], sequences, p=[0.55, 0.25, 0.12, 0.08])
    return [(draw.normal(shift, 0.05) + draw.normal(0, 0.03, size)).tolist() for size in sizes]


def summed(objects: list[list[float]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([[sum(values)] for values in objects]), np.array([len(values) for values in objects])


def test_resampled_means_equal_a_loop_over_objects():
    objects, other = make_set(0, 8), make_set(0, 8, shift=-0.2)
    totals = np.hstack([summed(objects)[0], summed(other)[0]])
    picks = [random.Random(place).choices(range(8), k=8) for place in range(50)]
    times = np.array([[pick.count(sequence) for sequence in range(8)] for pick in picks])
    found = resampled_means(totals, summed(objects)[1], times)
    for pick, means in zip(picks, found, strict=True):
        for values, mean in zip((objects, other), means, strict=True):
            pooled = [value for sequence in pick for value in values[sequence]]
            assert mean == pytest.approx(sum(pooled) / len(pooled), abs=1e-12)


def test_interval_equals_that_of_all_possible_resamples():
    objects = make_set(3, 5)
    means = []
    for pick in itertools.product(range(5), repeat=5):
        pooled = [value for sequence in pick for value in objects[sequence]]
        means.append(sum(pooled) / len(pooled))
    means.sort()
    tail = expanded_tail(0.9, 5)
    low, high = means[round(tail * len(means))], means[round((1 - tail) * len(means)) - 1]
    found = paired_intervals(*summed(objects), confidence=0.9, resamples=40_000)[0]
    pooled = [value for values in objects for value in values]
    assert found.difference == pytest.approx(sum(pooled) / len(pooled), abs=1e-12)
    assert found.low == pytest.approx(low, abs=0.03 * (high - low))
    assert found.high == pytest.approx(high, abs=0.03 * (high - low))


def test_seed_and_number_of_resamples_decide_the_draws():
    totals, counts = summed(make_set(1, 30))
    again = [paired_intervals(totals, counts, seed=seed)[0] for seed in (0, 0, 1)]
    assert again[0] == again[1] != again[2]
    assert paired_intervals(totals, counts, resamples=1500)[0] != again[0]
    assert abs(again[0].low - again[2].low) < 0.02 * (again[0].high - again[0].low)


def test_more_confidence_is_a_wider_interval():
    totals, counts = summed(make_set(1, 30))
    narrow, wide = (paired_intervals(totals, counts, confidence)[0] for confidence in (0.8, 0.99))
    assert wide.low < narrow.low < narrow.difference < narrow.high < wide.high


def test_too_few_sequences_get_no_interval():
    found = paired_intervals(*summed(make_set(2, FEWEST - 1)))[0]
    assert (found.low, found.high) == (None, None)
    assert paired_intervals(*summed(make_set(2, FEWEST)))[0].low is not None


@pytest.mark.parametrize(
    ("share", "freedom", "value"),  # printed tables of Student's t
    [
        (0.975, 4, 2.776),
        (0.975, 29, 2.045),
        (0.95, 10, 1.812),
        (0.995, 13, 3.012),
        (0.975, 1000, 1.962),
        (0.9, 6, 1.440),
    ],
)
def test_student_quantile(share: float, freedom: int, value: float):
    assert student_quantile(share, freedom) == pytest.approx(value, abs=1.5e-3)


def test_student_quantile_against_the_integral_of_the_density():
    freedom, share = 20, 0.975
    found = student_quantile(share, freedom)
    places = np.linspace(0, found, 20_001)
    density = (1 + places**2 / freedom) ** (-(freedom + 1) / 2)
    density *= math.gamma((freedom + 1) / 2) / math.sqrt(freedom * math.pi) / math.gamma(freedom / 2)
    assert 0.5 + np.trapezoid(density, places) == pytest.approx(share, abs=5e-8)


@pytest.mark.parametrize("sequences", [14, 30])
def test_the_interval_holds_the_truth_as_often_as_it_says(sequences: int):
    sets, shift = 400, 0.01
    held = [
        found.low <= shift <= found.high
        for seed in range(sets)
        for found in paired_intervals(*summed(make_set(1000 + seed, sequences, shift)), resamples=600, seed=seed)
    ]
    assert 0.92 < np.mean(held) < 0.975  # 0.95 give or take two and a half standard errors of 400 sets
