from maskvos.tables.markdown import markdown_table
from maskvos.tables.table import Cell, Line, Table


def test_marks_the_best_and_escapes_pipes():
    table = Table(["A|B", "C"], [Line("x|y", [Cell("1", best=True)])])
    assert markdown_table(table) == "| A\\|B | C |\n| --- | ---: |\n| x\\|y | **1** |"


def test_totals_come_last():
    table = Table(["A", "B"], [Line("x", [Cell("1")])], [Line("mean", [Cell("2")])])
    assert markdown_table(table).splitlines()[2:] == ["| x | 1 |", "| mean | 2 |"]
