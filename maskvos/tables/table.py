"""Tables as plain data: the same cells go to the page, to Markdown, to LaTeX and to the terminal."""

from dataclasses import dataclass, field

ABSENT = "–"


@dataclass(frozen=True)
class Cell:
    """One entry: its text, whether it is the best of its group, and its value in [0, 1] where it may be tinted."""

    text: str
    best: bool = False
    value: float | None = None


@dataclass(frozen=True)
class Line:
    """One line; ``ours`` tells this run from the paper."""

    label: str
    cells: list[Cell]
    ours: bool = True


@dataclass(frozen=True)
class Table:
    """``columns`` starts with the title of the labels; ``totals`` are lines below a rule, such as means."""

    columns: list[str]
    lines: list[Line]
    totals: list[Line] = field(default_factory=list)


def percent(value: float | None) -> str:
    """A fraction in percent with one decimal, as the field prints it; a dash for None and nan."""
    return ABSENT if value is None or value != value else f"{100 * value:z.1f}"
