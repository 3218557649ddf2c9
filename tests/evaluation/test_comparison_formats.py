import csv
import json

import pytest

from maskvos.evaluation.comparison import COMPARED, compare_runs
from maskvos.evaluation.comparison_formats import difference_table, render_comparison, signed, summary_table
from maskvos.evaluation.verdict import verdict
from tests.evaluation.pairs import make_runs


@pytest.fixture
def comparison():
    return compare_runs(*make_runs([0.05, -0.1, 0.02, 0.0, 0.11, 0.03]))


def test_signed():
    assert [signed(value) for value in (0.0123, -0.5, 0.0, None)] == ["+1.2", "−50.0", "+0.0", "–"]


def test_tables(comparison):
    table = summary_table(comparison)
    assert [line.label for line in table.lines] == ["J&F", "J", "F"]
    found = comparison.intervals["J_mean"]
    expected = [signed(value) for value in (found.difference, found.low, found.high)]
    assert [cell.text for cell in table.lines[1].cells][2:] == expected
    table = difference_table(comparison, 2)
    assert [line.label for line in table.lines] == ["s04", "s01"]
    assert [cell.text for cell in table.lines[0].cells][2:] == ["+8.2", "+11.0", "+5.5"]
    assert [cell.text for cell in table.lines[1].cells][2:] == ["−7.5", "−10.0", "−5.0"]
    assert len(difference_table(comparison).lines) == 6


def test_json_and_csv_hold_every_figure(comparison):
    content = json.loads(render_comparison(comparison, "json"))
    assert content["verdict"] == verdict(comparison)
    assert content["runs"] == {"A": str(comparison.paths[0]), "B": str(comparison.paths[1])}
    assert list(content["sequences"]) == comparison.ranked()
    assert content["global"]["F_mean"]["low"] == comparison.intervals["F_mean"].low
    rows = list(csv.DictReader(render_comparison(comparison, "csv").splitlines()))
    assert len(rows) == 3 * 7
    assert [row["figure"] for row in rows[:3]] == list(COMPARED)
    assert float(rows[0]["high"]) == pytest.approx(comparison.intervals["J&F_mean"].high, abs=1e-8)
    assert (rows[3]["level"], rows[3]["sequence"], rows[3]["low"]) == ("sequence", "s04", "")
    assert float(rows[4]["difference"]) == pytest.approx(0.11, abs=1e-8)


def test_markdown_and_latex_begin_with_the_verdict(comparison):
    markdown = render_comparison(comparison, "markdown")
    names = "A: {}, B: {}.".format(*comparison.paths)
    assert markdown.startswith(f"{verdict(comparison)}\n\n{names}\n\n| Mean over objects | A | B |")
    latex = render_comparison(comparison, "latex")
    assert latex.startswith("% " + verdict(comparison))
    assert latex.splitlines()[1] == f"% {names}"
    assert r"95 \% from" in latex
    assert "−" not in latex.split("\n", 1)[1]
