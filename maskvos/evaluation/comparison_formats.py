"""A comparison as text: JSON and CSV as fractions in full precision, Markdown and LaTeX in percent."""

import csv
import io
import json
from typing import Any

from maskvos.evaluation.bootstrap import Interval
from maskvos.evaluation.comparison import COMPARED, Comparison
from maskvos.evaluation.formats import Format
from maskvos.evaluation.table import METRICS
from maskvos.evaluation.verdict import verdict
from maskvos.tables.latex import latex_table
from maskvos.tables.markdown import markdown_table
from maskvos.tables.table import ABSENT, Cell, Line, Table, percent


def render_comparison(comparison: Comparison, style: Format) -> str:
    """The whole comparison as text that ends with a newline."""
    if style == "json":
        return json.dumps(_content(comparison), indent=1) + "\n"
    if style == "csv":
        return _csv(comparison)
    tables = (summary_table(comparison), difference_table(comparison))
    names = "A: {}, B: {}.".format(*comparison.paths)
    if style == "markdown":
        return "\n\n".join((verdict(comparison), names, *map(markdown_table, tables))) + "\n"
    remark = rf"% {verdict(comparison)} In percent; needs \usepackage{{booktabs}}" + f"\n% {names}"
    return "\n\n".join((remark, *map(latex_table, tables))) + "\n"


def summary_table(comparison: Comparison) -> Table:
    """Both runs' means over objects, their difference and its interval, in percent."""
    columns = ["Mean over objects", "A", "B", "B − A", f"{100 * comparison.confidence:g} % from", "to"]
    return Table(columns, [_summary(comparison, figure) for figure in COMPARED])


def difference_table(comparison: Comparison, most: int | None = None) -> Table:
    """A line a sequence, those first whose J&F differs most, in percent; ``most`` cuts the table."""
    columns = ["Sequence", "J&F A", "B", "B − A", "J: B − A", "F: B − A"]
    lines = [
        Line(
            name,
            [Cell(percent(scores["J&F_mean"])) for scores in comparison.sequences[name]] + _changes(comparison, name),
        )
        for name in comparison.ranked()[:most]
    ]
    return Table(columns, lines)


def _summary(comparison: Comparison, figure: str) -> Line:
    found = comparison.intervals[figure]
    means = [Cell(percent(scores[figure])) for scores in (comparison.first, comparison.second)]
    return Line(
        METRICS[figure], [*means, *(Cell(signed(value)) for value in (found.difference, found.low, found.high))]
    )


def _changes(comparison: Comparison, name: str) -> list[Cell]:
    return [Cell(signed(comparison.difference(name, figure))) for figure in COMPARED]


def signed(value: float | None) -> str:
    """A difference in percent with its sign; a dash for None."""
    return ABSENT if value is None else f"{100 * value:+.1f}".replace("-", "−")


def _content(comparison: Comparison) -> dict[str, Any]:
    def both(first: dict[str, float], second: dict[str, float], figure: str) -> dict[str, float]:
        return {"A": first[figure], "B": second[figure]}

    return {
        "protocol": comparison.protocol,
        "set": comparison.set,
        "runs": dict(zip("AB", map(str, comparison.paths), strict=True)),
        "verdict": verdict(comparison),
        "objects": comparison.objects,
        "confidence": comparison.confidence,
        "resamples": comparison.resamples,
        "seed": comparison.seed,
        "global": {
            figure: both(comparison.first, comparison.second, figure) | _ends(comparison.intervals[figure])
            for figure in COMPARED
        },
        "sequences": {
            name: {
                figure: both(*comparison.sequences[name], figure) | {"difference": comparison.difference(name, figure)}
                for figure in COMPARED
            }
            for name in comparison.ranked()
        },
    }


def _ends(found: Interval) -> dict[str, float | None]:
    return {"difference": found.difference, "low": found.low, "high": found.high}


def _csv(comparison: Comparison) -> str:
    """A row a level, sequence and figure; only the mean has an interval."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("level", "sequence", "figure", "A", "B", "difference", "low", "high"))
    content = _content(comparison)
    rows = [("mean", "", content["global"]), *(("sequence", *item) for item in content["sequences"].items())]
    for level, name, figures in rows:
        for figure, values in figures.items():
            numbers = (values.get(key) for key in ("A", "B", "difference", "low", "high"))
            writer.writerow((level, name, figure, *("" if number is None else f"{number:.8f}" for number in numbers)))
    return text.getvalue()
