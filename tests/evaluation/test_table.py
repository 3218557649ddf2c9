import pytest

from maskvos.evaluation.table import METRICS, object_table, rank, sequence_table, tables
from maskvos.tables.table import Table
from tests.evaluation.results import GROUPS, make_result


def labels(table: Table) -> list[str]:
    return [line.label for line in table.lines]


@pytest.mark.parametrize(
    ("sort", "sequences", "objects"),
    [
        ("worst", ["cat_a", "b&w"], ["cat_a_10", "cat_a_2", "cat_a_1", "b&w_1"]),
        ("best", ["b&w", "cat_a"], ["b&w_1", "cat_a_1", "cat_a_2", "cat_a_10"]),
        ("name", ["b&w", "cat_a"], ["b&w_1", "cat_a_1", "cat_a_2", "cat_a_10"]),
    ],
)
def test_order(sort: str, sequences: list[str], objects: list[str]):
    assert labels(sequence_table(make_result(), sort)) == sequences
    assert labels(object_table(make_result(), sort)) == objects


def test_ids_sort_as_numbers_and_equal_values_by_name():
    assert rank({("a", 10): 0.5, ("a", 2): 0.5, ("a", 1): 0.5}, "worst") == [("a", 1), ("a", 2), ("a", 10)]
    assert rank({"b": 0.5, "a": 0.5, "c": 0.7}, "best") == ["c", "a", "b"]
    assert rank({("a", 10): 0.1, ("a", 2): 0.5}, "name") == [("a", 2), ("a", 10)]


def test_cells_are_counts_and_percent():
    result = make_result()
    table = sequence_table(result)
    assert table.columns == ["Sequence", "Objects", *METRICS.values()]
    assert [cell.text for cell in table.lines[0].cells] == ["3", "48.3", "40.0", "33.3", "0.0", "56.7", "66.7", "0.0"]
    assert [cell.text for cell in table.totals[-1].cells] == ["4", "56.2", "52.5", "50.0", "0.0", "60.0", "75.0", "0.0"]
    table = object_table(result)
    assert table.columns == ["Object", "Frames", *METRICS.values()]
    best = table.lines[-1].cells
    assert [cell.text for cell in best] == ["4", "80.0", "90.0", "100.0", "0.0", "70.0", "100.0", "0.0"]
    assert [cell.text for cell in table.totals[-1].cells][:2] == ["", "56.2"]


def test_groups_the_mean_and_the_overall_figure_are_totals():
    for table in tables(make_result(GROUPS)):
        assert [line.label for line in table.totals] == [
            "mean, seen categories",
            "mean, unseen categories",
            "mean over objects",
            "overall: seen, unseen",
        ]
        assert table.totals[-1].cells[1].text == "56.2"  # the four means: (0.4 + 0.55 + 0.65 + 0.65) / 4
        assert {len(line.cells) for line in (*table.lines, *table.totals)} == {len(table.columns) - 1}


def test_objects_get_no_table_where_every_sequence_has_one():
    result = make_result()
    assert len(tables(result)) == 2
    alone = {key: result.frames[key] for key in (("cat_a", 1), ("b&w", 1))}
    assert len(tables(type(result).of_frames("p", alone))) == 1
