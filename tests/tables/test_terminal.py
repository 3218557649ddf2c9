import io

from rich.console import Console

from maskvos.tables.table import Cell, Line, Table
from maskvos.tables.terminal import print_table


def test_names_are_no_markup_and_totals_stand_below():
    console = Console(file=io.StringIO(), width=80)
    table = Table(["Name", "J"], [Line("[red]x", [Cell("1.0", True)])], [Line("mean", [Cell("2.0")])])
    print_table(console, "title", table)
    text = console.file.getvalue()
    places = [text.index(part) for part in ("title", "Name", "[red]x", "1.0", "mean", "2.0")]
    assert places == sorted(places)


def test_no_figure_is_cut_on_a_narrow_terminal():
    console = Console(file=io.StringIO(), width=30)
    figures = [f"{number}.{number}" for number in range(11, 22)]
    cells = [Cell(figure) for figure in figures]
    titles = ["J&F", "J recall", "J decay"] * 4
    print_table(console, "", Table(["Sequence", *titles[:11]], [Line("a-rather-long-name", cells)]))
    assert ["a-rather-long-name", *figures] in [line.split() for line in console.file.getvalue().splitlines()]
