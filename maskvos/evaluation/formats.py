"""The result as text: JSON and CSV in full precision for programs, Markdown and LaTeX in percent for readers."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from maskvos.evaluation.result import Result, metrics_text
from maskvos.evaluation.statistics import Scores
from maskvos.evaluation.table import METRICS, Sort, rank, tables, with_mean
from maskvos.tables.latex import latex_table
from maskvos.tables.markdown import markdown_table

Format = Literal["json", "csv", "markdown", "latex"]
SUFFIXES: dict[str, Format] = {".json": "json", ".csv": "csv", ".md": "markdown", ".tex": "latex"}


def format_of(path: Path) -> Format | None:
    """The format that a file's suffix asks for; None for another suffix."""
    return SUFFIXES.get(path.suffix.lower())


def render(result: Result, style: Format, sort: Sort = "worst") -> str:
    """The whole result as text that ends with a newline. JSON is metrics.json, in the dataset's order."""
    if style == "json":
        return metrics_text(result)
    if style == "csv":
        return _csv(result, sort)
    return (_markdown if style == "markdown" else _latex)(result, sort)


def headline(result: Result) -> str:
    """Protocol, set and counts in a line."""
    count = len(result.scores)
    name = f" {result.set}" if result.set else ""
    sequences = len(result.sequences)
    return (
        f"{result.protocol}{name}: {count} object{'s' * (count != 1)} in {sequences} sequence{'s' * (sequences != 1)}"
    )


def _markdown(result: Result, sort: Sort) -> str:
    return "\n\n".join((f"{headline(result)}, in percent.", *map(markdown_table, tables(result, sort)))) + "\n"


def _latex(result: Result, sort: Sort) -> str:
    remark = rf"% {headline(result)}, in percent; needs \usepackage{{booktabs}}"
    return "\n\n".join((remark, *map(latex_table, tables(result, sort)))) + "\n"


def _csv(result: Result, sort: Sort) -> str:
    """One tidy table: ``level`` is mean, overall, group, sequence or object; ``name`` that of the group."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("level", "name", "sequence", "object", *METRICS))
    for names, scores in _rows(result, sort):
        writer.writerow((*names, *(f"{scores[key]:.8f}" if key in scores else "" for key in METRICS)))
    return text.getvalue()


def _rows(result: Result, sort: Sort) -> Iterator[tuple[tuple[str, str, str, str], Scores]]:
    yield ("mean", "", "", ""), result.mean
    if result.overall is not None:
        yield ("overall", "", "", ""), {"J&F_mean": result.overall}
    for name, scores in result.group_means.items():
        yield ("group", name, "", ""), scores
    sequences = result.sequences
    for sequence in rank({name: scores["J&F_mean"] for name, scores in sequences.items()}, sort):
        yield ("sequence", "", sequence, ""), sequences[sequence]
    objects = {key: with_mean(scores) for key, scores in result.scores.items()}
    for key in rank({key: scores["J&F_mean"] for key, scores in objects.items()}, sort):
        yield ("object", "", key[0], str(key[1])), objects[key]
