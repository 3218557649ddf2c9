"""A table in Markdown."""

from maskvos.tables.table import Cell, Table


def markdown_table(table: Table) -> str:
    """A pipe table; the best of a group is bold."""
    rows = [[line.label, *map(_text, line.cells)] for line in (*table.lines, *table.totals)]
    rule = ["---"] + ["---:"] * (len(table.columns) - 1)
    return "\n".join("| " + " | ".join(_escape(entry) for entry in row) + " |" for row in (table.columns, rule, *rows))


def _text(cell: Cell) -> str:
    return f"**{cell.text}**" if cell.best else cell.text


def _escape(entry: str) -> str:
    return entry.replace("|", "\\|")
