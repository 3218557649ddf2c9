"""Tables: digits, marks, order."""

from maskvos.report.records import Result
from maskvos.report.tables import METRICS, results_table, sequence_table


def result(row, score, **sequences):
    return Result(
        "davis", row, "p", dict.fromkeys(METRICS, score), {k: {"J&F_mean": v} for k, v in sequences.items()}, 1
    )


def test_best_of_each_column_is_marked_but_not_of_the_decays():
    table = results_table([result("copy", 0.2), result("full", 0.6)])
    assert table.columns[0] == "Row"
    for key, low, high in zip(METRICS, table.lines[0].cells, table.lines[1].cells, strict=True):
        assert not low.best
        assert high.best == ("decay" not in key)


def test_equal_digits_are_marked_alike():
    table = results_table([result("copy", 0.60001), result("full", 0.6), result("lab", 0.1)])
    assert [line.cells[0].best for line in table.lines] == [True, True, False]


def test_a_single_row_is_not_the_best_of_anything():
    assert not any(cell.best for cell in results_table([result("full", 0.6)]).lines[0].cells)


def test_missing_metric_is_a_dash():
    only = Result("davis", "full", "p", {"J_mean": 0.5}, {}, 1)
    assert [cell.text for cell in results_table([only]).lines[0].cells] == ["–", "50.0", "–", "–", "–", "–", "–"]


def test_sequences_across_rows_end_with_the_mean_over_objects():
    table = sequence_table([result("copy", 0.2, a=0.1, b=0.9), result("full", 0.6, b=0.3)])
    assert table.columns == ["Sequence", "Copy of the first mask", "Full method"]
    assert [(line.label, [cell.text for cell in line.cells]) for line in table.lines] == [
        ("a", ["10.0", "–"]),
        ("b", ["90.0", "30.0"]),
        ("Mean over objects", ["20.0", "60.0"]),
    ]
    assert [cell.best for cell in table.lines[1].cells] == [True, False]
