import numpy as np
import pytest

from maskvos.evaluation.statistics import FIGURES, average, score_object, summarise
from tests.evaluation.reference import statistics


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 38, 78, 102, 255, 256, 257, 700])
def test_statistics_equal_the_definition(count: int):
    values = np.random.default_rng(count).random(count)
    assert summarise(values) == pytest.approx(statistics(values.tolist()), abs=1e-12)


def test_recall_counts_frames_above_the_threshold_only():
    assert summarise(np.array([0.5, 0.5, 0.51, 1.0]))[1] == 0.5


def test_average_is_over_objects():
    good, bad = score_object(np.ones(4), np.ones(4)), score_object(np.zeros(4), np.full(4, 0.5))
    mean = average([good, bad, bad])
    assert list(mean) == ["J&F_mean", *FIGURES]
    assert mean["J_mean"] == pytest.approx(1 / 3)
    assert mean["F_mean"] == pytest.approx(2 / 3)
    assert mean["J&F_mean"] == pytest.approx(1 / 2)
