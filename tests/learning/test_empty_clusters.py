"""Rounds of clustering that leave nothing to learn from."""

import logging

import pytest

from maskvos.errors import UserError
from maskvos.learning.empty_clusters import judge_clustering
from tests.tiny import collapse


def clips(*kept, whole=0):
    statistics = {f"clip{n}": {"kept": number, "sizes": [5, 4, 3]} for n, number in enumerate(kept)}
    return statistics | {f"whole{n}": {"kept": 1, "sizes": [12]} for n in range(whole)}


def test_clusters_of_a_few_empty_clips_pass():
    judge_clustering(clips(3, 3, 0, 0), collapse(), 0.4)  # half of them


@pytest.mark.parametrize("statistics", [clips(3, 0, 0), clips(3, whole=2), clips(3, 3, 0, 0, whole=1)])
def test_clusters_that_left_most_clips_empty_stop_the_stage(statistics):
    with pytest.raises(UserError, match=r"the clusters have collapsed.*oversize 0\.4.*max_empty_clips is 0\.5"):
        judge_clustering(statistics, collapse(), 0.4)
    judge_clustering(statistics, collapse(max_empty_clips=1.0), 0.4)


def test_warn_keeps_a_round_unless_nothing_is_left_at_all(caplog):
    caplog.set_level(logging.WARNING, "maskvos")
    judge_clustering(clips(3, 0, 0), collapse(action="warn"), 0.4)
    assert "Of 3 clips, 2 have no cluster left" in caplog.text
    with pytest.raises(UserError, match="Of 2 clips, 2 have"):
        judge_clustering(clips(0, 0), collapse(action="warn", max_empty_clips=1.0), 0.4)
