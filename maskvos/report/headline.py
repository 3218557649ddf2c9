"""The result in a sentence and a few bars."""

from dataclasses import dataclass

from maskvos.report.records import ROWS, Result
from maskvos.tables.table import percent

_BASES = ("correspondence", "untrained", "copy")


@dataclass(frozen=True)
class Headline:
    """One evaluation set: the score that counts, what it is compared with, and every row's bar (label, text, share)."""

    set: str
    score: str
    row: str
    comparison: str
    bars: list[tuple[str, str, float]]


def headline(name: str, results: list[Result]) -> Headline:
    """The J&F of the last row (the full method where it was run) against the rows below it."""
    last = results[-1]
    scores = {result.row: result.overall.get("J&F_mean") for result in results}
    top = scores[last.row]
    parts = [
        f"{_signed(top - base)} against {ROWS[row].lower()}"
        for row in _BASES
        if row != last.row and top is not None and (base := scores.get(row)) is not None
    ]
    bars = [(result.name, percent(scores[result.row]), scores[result.row] or 0.0) for result in results]
    return Headline(name, percent(top), last.name, "; ".join(parts), bars)


def _signed(difference: float) -> str:
    return f"{100 * difference:+.1f}".replace("-", "−")
