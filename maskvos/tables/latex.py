r"""A table in LaTeX, with the rules of booktabs."""

import re

from maskvos.tables.table import ABSENT, Line, Table

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "−": "$-$",
    ABSENT: "--",
    **{character: "\\" + character for character in "&%$#_{}"},
}
_MINUS = re.compile(r"^-(?=\d)")  # a hyphen before a number prints as a hyphen
_SYMBOL = re.compile(r"\b[JF]\b")


def latex_table(table: Table) -> str:
    r"""A ``tabular`` that needs ``\usepackage{booktabs}``; the best of a group is bold, totals stand below a rule."""
    rows = [" & ".join(_title(column) for column in table.columns) + r" \\", r"\midrule"]
    rows += [_row(line) for line in table.lines]
    if table.totals:
        rows += [r"\midrule", *map(_row, table.totals)]
    columns = "l" + "r" * (len(table.columns) - 1)
    return "\n".join((f"\\begin{{tabular}}{{{columns}}}", r"\toprule", *rows, r"\bottomrule", r"\end{tabular}"))


def escape(text: str) -> str:
    """Text that LaTeX prints as it stands."""
    return "".join(_ESCAPES.get(character, character) for character in text)


def _title(text: str) -> str:
    """A column's title; the measures J and F get their calligraphic letters."""
    return _SYMBOL.sub(lambda found: rf"$\mathcal{{{found.group()}}}$", escape(text))


def _row(line: Line) -> str:
    texts = [escape(_MINUS.sub("−", cell.text)) for cell in line.cells]
    cells = [rf"\textbf{{{text}}}" if cell.best else text for cell, text in zip(line.cells, texts, strict=True)]
    return " & ".join((escape(line.label), *cells)) + r" \\"
