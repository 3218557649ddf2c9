"""Whole runs are compared: every implementation that is there has its row, and the objectives agree."""

import pytest

from benchmarks.kmeans_whole import MISSING, compare, implementations, smooth


def test_rows_of_all_implementations():
    rows = compare(smooth((4, 40, 60, 16)), 3, 0.5, 3)
    assert [row[0] for row in rows] == list(implementations())
    for _, best, median, _, _, change in rows:
        if best != MISSING:
            assert 0 < float(best) <= float(median)
            assert float(change) == pytest.approx(0, abs=2)


def test_features_have_regions():
    """Neighbours are more alike than cells far apart."""
    features = smooth((9, 20, 20, 32))
    near = ((features[:, 1:] - features[:, :-1]) ** 2).sum(-1).mean()
    far = ((features[:, :10] - features[:, 10:]) ** 2).sum(-1).mean()
    assert near < 0.9 * far
