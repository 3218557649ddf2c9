"""The result in a sentence."""

from maskvos.report.headline import headline
from maskvos.report.records import Result


def result(row, score):
    return Result("s", row, "p", {"J&F_mean": score} if score is not None else {}, {}, 1)


def test_differences_have_their_sign():
    found = headline("s", [result("copy", 0.7), result("untrained", 0.1), result("full", 0.6)])
    assert (found.score, found.row) == ("60.0", "Full method")
    assert found.comparison == "+50.0 against untrained encoder; −10.0 against copy of the first mask"
    assert found.bars[0] == ("Copy of the first mask", "70.0", 0.7)


def test_one_row_has_nothing_to_compare():
    assert headline("s", [result("copy", 0.7)]).comparison == ""


def test_missing_scores():
    found = headline("s", [result("copy", 0.7), result("full", None)])
    assert (found.score, found.comparison) == ("–", "")
