"""Paired differences against plain sums over objects; runs that do not belong together are refused by name."""

from dataclasses import replace

import numpy as np
import pytest

from maskvos.errors import UserError
from maskvos.evaluation.comparison import COMPARED, compare_runs
from tests.evaluation.pairs import make_runs

SHIFTS = [0.05, -0.1, 0.02, 0.0, 0.11, 0.03, 0.04]


def test_differences_are_means_over_objects():
    first, second = make_runs(SHIFTS)
    found = compare_runs(first, second)
    objects = {1: 0, 2: 0, 3: 0}
    total = 0.0
    for place, shift in enumerate(SHIFTS):
        objects[1 + place % 3] += 1
        total += shift * (1 + place % 3)
    count = sum(size * number for size, number in objects.items())
    assert found.objects == count == len(first.scores)
    for figure, factor in (("J_mean", 1), ("F_mean", 0.5), ("J&F_mean", 0.75)):
        assert found.intervals[figure].difference == pytest.approx(factor * total / count, abs=1e-12)
        assert found.second[figure] - found.first[figure] == pytest.approx(factor * total / count, abs=1e-12)
        for place, shift in enumerate(SHIFTS):
            assert found.difference(f"s{place:02d}", figure) == pytest.approx(factor * shift, abs=1e-12)
    assert found.ranked() == ["s04", "s01", "s00", "s06", "s05", "s02", "s03"]


def test_the_interval_is_over_sequences_weighted_by_their_objects():
    first, second = make_runs(SHIFTS * 3)
    found = compare_runs(first, second, confidence=0.9)
    random = np.random.default_rng(5)
    means = []
    for _ in range(20_000):
        pick = random.integers(0, len(SHIFTS) * 3, len(SHIFTS) * 3)
        sizes = 1 + pick % 3
        means.append(float(np.sum(0.75 * np.array(SHIFTS * 3)[pick] * sizes) / sizes.sum()))
    low, high = np.quantile(means, (0.05, 0.95))
    interval = found.intervals["J&F_mean"]
    assert interval.low == pytest.approx(low, abs=0.06 * (high - low))  # a little wider: see bootstrap.py
    assert interval.high == pytest.approx(high, abs=0.06 * (high - low))
    assert interval.low < low < high < interval.high


def test_runs_the_other_way_round_change_signs():
    first, second = make_runs(SHIFTS)
    one, other = compare_runs(first, second), compare_runs(second, first)
    for figure in COMPARED:
        assert other.intervals[figure].difference == pytest.approx(-one.intervals[figure].difference)
        assert other.intervals[figure].low == pytest.approx(-one.intervals[figure].high)


def test_the_order_of_objects_in_the_files_does_not_matter():
    first, second = make_runs(SHIFTS)
    turned = replace(second, scores=dict(reversed(second.scores.items())))
    assert compare_runs(first, turned) == compare_runs(first, second)


def test_objects_scored_on_another_number_of_frames_are_refused_without_their_tables():
    first, second = (replace(run, frames={}) for run in make_runs(SHIFTS))
    key = next(iter(first.scores))
    compare_runs(replace(first, scored_frames={key: 48}), second)  # a file of before that was written
    compare_runs(replace(first, scored_frames={key: 48}), replace(second, scored_frames={key: 48}))
    with pytest.raises(UserError, match="scored on other frames"):
        compare_runs(replace(first, scored_frames={key: 48}), replace(second, scored_frames={key: 78}))


def test_runs_that_do_not_belong_together_are_refused():
    first, second = make_runs(SHIFTS)
    with pytest.raises(UserError, match="B: the protocol is 'other', that of A is 'test protocol'"):
        compare_runs(first, replace(second, protocol="other"))
    with pytest.raises(UserError, match="B: the set is 'train', that of A is 'val'"):
        compare_runs(first, replace(second, set="train"))
    few = {key: scores for key, scores in second.scores.items() if key[0] not in ("s01", "s02")}
    with pytest.raises(UserError, match="B: lacks s01_1, s01_2, s02_1 and 2 more, which A has"):
        compare_runs(first, replace(second, scores=few))
    with pytest.raises(UserError, match=r"B: lacks s01_1, .* which A has"):
        compare_runs(replace(first, path=second.path, scores=few), replace(second, path=first.path))
    frames = dict(second.frames)
    frames["s02", 3] = replace(frames["s02", 3], frames=("x", *frames["s02", 3].frames[1:]))
    with pytest.raises(UserError, match="object s02_3 is scored on other frames"):
        compare_runs(first, replace(second, frames=frames))


@pytest.mark.parametrize(
    ("numbers", "message"),
    [({"confidence": 95}, "--confidence 95"), ({"resamples": 10}, "--resamples 10"), ({"seed": -1}, "--seed -1")],
)
def test_numbers_out_of_range(numbers: dict, message: str):
    with pytest.raises(UserError, match=message):
        compare_runs(*make_runs(SHIFTS), **numbers)
