"""The same figures in every format; names that a format would read as its own are escaped."""

import csv
import json
from pathlib import Path

import pytest

from maskvos.evaluation.formats import format_of, headline, render
from maskvos.evaluation.result import write_metrics
from tests.evaluation.results import GROUPS, make_result


def test_suffixes():
    found = [format_of(Path(name)) for name in ("a.json", "b.CSV", "c.md", "d.tex", "e.txt", "f")]
    assert found == ["json", "csv", "markdown", "latex", None, None]


def test_headline():
    assert headline(make_result()) == "test protocol val: 4 objects in 2 sequences"


def test_json_is_the_metrics_file(tmp_path: Path):
    write_metrics(make_result(GROUPS), tmp_path / "metrics.json")
    text = render(make_result(GROUPS), "json", "best")
    assert text == (tmp_path / "metrics.json").read_text()
    assert list(json.loads(text)["objects"]) == ["cat_a_1", "cat_a_10", "cat_a_2", "b&w_1"]  # the dataset's order


def test_csv_is_one_tidy_table_in_full_precision():
    result = make_result(GROUPS)
    rows = list(csv.DictReader(render(result, "csv").splitlines()))
    assert [row["level"] for row in rows] == ["mean", "overall", *["group"] * 2, *["sequence"] * 2, *["object"] * 4]
    assert [row["name"] for row in rows if row["level"] == "group"] == ["seen", "unseen"]
    assert [(row["sequence"], row["object"]) for row in rows[6:]] == [
        ("cat_a", "10"),
        ("cat_a", "2"),
        ("cat_a", "1"),
        ("b&w", "1"),
    ]
    assert float(rows[0]["J&F_mean"]) == pytest.approx(result.mean["J&F_mean"], abs=1e-8)
    assert (rows[1]["J&F_mean"], rows[1]["J_mean"]) == ("0.56250000", "")
    assert float(rows[4]["F_recall"]) == pytest.approx(result.sequences["cat_a"]["F_recall"], abs=1e-8)


def test_markdown_has_both_tables_sorted():
    text = render(make_result(), "markdown", "best")
    assert text.startswith("test protocol val: 4 objects in 2 sequences, in percent.\n\n| Sequence | Objects | J&F |")
    places = [text.index(f"| {name} |") for name in ("b&w", "cat_a", "b&w_1", "cat_a_1", "cat_a_2", "cat_a_10")]
    assert places == sorted(places)


def test_latex_escapes_names_and_fills_every_row():
    text = render(make_result(GROUPS), "latex")
    assert r"cat\_a\_10 & 4 & 25.0" in text
    assert r"b\&w & 1 & 80.0" in text
    assert text.count(r"\begin{tabular}{lrrrrrrrr}") == text.count(r"\end{tabular}") == 2
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert {row.replace(r"\&", "").count("&") for row in rows} == {8}
    assert text.startswith("% test protocol")
