"""The tables of the report: rows by metrics, sequences by rows."""

from maskvos.evaluation.table import METRICS
from maskvos.report.records import Result
from maskvos.tables.table import ABSENT, Cell, Line, Table, percent


def results_table(results: list[Result]) -> Table:
    """Rows of one evaluation set by all metrics, the best of each column marked.

    Not of the decays: a row that fails from the start has nothing left to lose, so its small decay is no merit.
    """
    best = {key: _best([result.overall.get(key) for result in results]) for key in METRICS if "decay" not in key}
    lines = [
        Line(
            result.name,
            [cell(result.overall.get(key), best.get(key), tinted=key == "J&F_mean") for key in METRICS],
        )
        for result in results
    ]
    return Table(["Row", *METRICS.values()], lines)


def sequence_table(results: list[Result], metric: str = "J&F_mean") -> Table:
    """One metric of one evaluation set: a line for each sequence, a column for each row, then the mean over objects."""
    names = sorted({name for result in results for name in result.sequences})
    lines = [_across(name, [result.sequences.get(name, {}).get(metric) for result in results]) for name in names]
    lines.append(_across("Mean over objects", [result.overall.get(metric) for result in results]))
    return Table(["Sequence", *(result.name for result in results)], lines)


def _across(label: str, values: list[float | None]) -> Line:
    best = _best(values)
    return Line(label, [cell(value, best, tinted=True) for value in values])


def cell(value: float | None, best: str | None = None, tinted: bool = False) -> Cell:
    """A fraction as an entry; marked where its text is ``best``, so that equal digits are marked alike."""
    text = percent(value)
    return Cell(text, best=text == best and text != ABSENT, value=value if tinted else None)


def _best(values: list[float | None]) -> str | None:
    """The largest value as printed; None where there is nothing to choose from."""
    known = [value for value in values if value is not None and value == value]
    return percent(max(known)) if len(known) > 1 else None
