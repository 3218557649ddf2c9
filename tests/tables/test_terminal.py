import io

from rich.console import Console

from maskvos.tables.table import Cell, Line, Table
from maskvos.tables.terminal import terminal_table


def test_names_are_no_markup_and_totals_stand_below():
    console = Console(file=io.StringIO(), width=80)
    table = Table(["Name", "J"], [Line("[red]x", [Cell("1.0", True)])], [Line("mean", [Cell("2.0")])])
    console.print(terminal_table("title", table))
    text = console.file.getvalue()
    places = [text.index(part) for part in ("title", "Name", "[red]x", "1.0", "mean", "2.0")]
    assert places == sorted(places)
