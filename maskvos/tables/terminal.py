"""A table on the terminal."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table as RichTable
from rich.text import Text

from maskvos.tables.table import Line, Table

WIDEST = 10_000  # characters: no table's line is longer


def print_table(console: Console, title: str, table: Table) -> None:
    """Print the table, the best of each column bold, totals below a rule.

    Where the terminal is too narrow (80 columns where there is none) lines are longer than it: a number that is cut is
    another number.
    """
    drawn = _draw(title, table)
    least = Measurement.get(console, console.options.update(max_width=WIDEST), drawn).minimum
    if least > console.width:
        drawn.width = least
    console.print(drawn, crop=False)


def _draw(title: str, table: Table) -> RichTable:
    drawn = RichTable(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for number, column in enumerate(table.columns):
        width = max(map(len, column.split()), default=0)  # a title may fold between words, never be cut
        drawn.add_column(
            column, justify="right" if number else "left", no_wrap=not number, min_width=width, overflow="fold"
        )
    for line in table.lines:
        _add(drawn, line)
    if table.totals:
        drawn.add_section()
    for line in table.totals:
        _add(drawn, line)
    return drawn


def _add(drawn: RichTable, line: Line) -> None:
    # Text, not a string: rich would read a name such as "[red]" as markup
    drawn.add_row(Text(line.label), *(Text(cell.text, "bold" if cell.best else "") for cell in line.cells))
