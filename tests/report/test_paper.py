"""The copied numbers agree with themselves and, where it is there, with the paper's text."""

import pytest

from maskvos.report.paper import DAVIS_VAL, YOUTUBE_VOS_VAL
from tests.report.tree import ROOT

PAPER = ROOT.parent / "shared/paper/mask_vos.txt"


@pytest.mark.parametrize("row", DAVIS_VAL, ids=lambda row: row.method)
def test_davis_mean_is_the_mean_of_j_and_f(row):
    assert row.mean == pytest.approx((row.J + row.F) / 2, abs=0.051)


@pytest.mark.parametrize("row", YOUTUBE_VOS_VAL, ids=lambda row: row.method)
def test_youtube_mean_is_the_mean_of_four(row):
    assert row.mean == pytest.approx(sum(row[3:]) / 4, abs=0.051)


def test_numbers_stand_in_the_papers_tables_side_by_side():
    if not PAPER.is_file():
        pytest.skip("the paper's text (../shared/paper) is not on this machine")
    text = " ".join(PAPER.read_text().split())
    for row in (*DAVIS_VAL, *YOUTUBE_VOS_VAL):
        numbers = " ".join(str(number) for number in row[2:] if number is not None)
        assert numbers in text.replace("\t", " "), row
