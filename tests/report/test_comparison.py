"""This run beside the paper."""

from maskvos.report.comparison import comparisons, youtube_comparison
from maskvos.report.records import Result, read_results
from tests.report.tree import make_params, make_tree


def test_learned_rows_stand_above_the_papers(tmp_path):
    artifacts, _ = make_tree(tmp_path)
    ((title, table),) = comparisons(make_params(), read_results(artifacts, make_params().plan))
    assert title == "DAVIS-2017 val"
    assert [line.label for line in table.lines if line.ours] == ["Correspondence only", "Full method"]
    full = next(line for line in table.lines if line.label == "full method, ResNet-18")
    texts = [cell.text for cell in full.cells]
    assert texts == ["paper, Table 1, 4a", "74.5", "71.6", "82.9", "77.4", "86.9"]
    assert all(len(line.cells) == len(table.columns) - 1 for line in table.lines)


def test_the_papers_numbers_stand_alone_without_results():
    ((_, table),) = comparisons(make_params(), {})
    assert table.lines
    assert not any(line.ours for line in table.lines)


def test_youtube_shows_seen_and_unseen():
    groups = {"seen": {"J_mean": 0.4, "F_mean": 0.5}, "unseen": {"J_mean": 0.2, "F_mean": 0.3}}
    known = {"backbone": {}, "full": groups}
    rows = [Result("y", row, "p", {"J&F_mean": 0.6}, {}, 1, known[row]) for row in known]
    table = youtube_comparison({"y": rows})
    assert [cell.text for cell in table.lines[0].cells] == ["this run, y", "60.0", "–", "–", "–", "–"]
    assert [cell.text for cell in table.lines[1].cells] == ["this run, y", "35.0", "40.0", "50.0", "20.0", "30.0"]
    assert all(len(line.cells) == len(table.columns) - 1 for line in table.lines)
