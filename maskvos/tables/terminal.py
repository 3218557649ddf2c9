"""A table on the terminal."""

from rich.box import SIMPLE_HEAD
from rich.table import Table as RichTable
from rich.text import Text

from maskvos.tables.table import Line, Table


def terminal_table(title: str, table: Table) -> RichTable:
    """The table for a terminal, the best of each column bold; totals stand below a rule."""
    drawn = RichTable(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for number, column in enumerate(table.columns):
        width = max(map(len, column.split()), default=0)  # a title may fold between words, never be cut
        drawn.add_column(column, justify="right" if number else "left", no_wrap=not number, min_width=width)
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
