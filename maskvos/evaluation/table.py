"""The result as tables for readers: a line a sequence, or an object, sorted by J&F, in percent."""

from collections.abc import Iterable
from typing import Literal, TypeVar

from maskvos.evaluation.result import Result
from maskvos.evaluation.statistics import Scores
from maskvos.tables.table import Cell, Line, Table, percent

METRICS = {
    "J&F_mean": "J&F",
    "J_mean": "J",
    "J_recall": "J recall",
    "J_decay": "J decay",
    "F_mean": "F",
    "F_recall": "F recall",
    "F_decay": "F decay",
}
"""Keys of metrics.json and their column titles."""

Sort = Literal["worst", "best", "name"]
Key = TypeVar("Key", str, tuple[str, int])


def tables(result: Result, sort: Sort = "worst") -> list[Table]:
    """Sequences, then objects, unless every sequence has just one: the second table would say the same again."""
    found = [sequence_table(result, sort)]
    return [*found, object_table(result, sort)] if len(result.scores) > len(found[0].lines) else found


def sequence_table(result: Result, sort: Sort = "worst") -> Table:
    """A line a sequence: how many objects it has, and the means over them; then the means of `mean_lines`."""
    counts: dict[str, int] = {}
    for sequence, _ in result.scores:
        counts[sequence] = counts.get(sequence, 0) + 1
    scores = result.sequences
    ranked = rank({name: figures["J&F_mean"] for name, figures in scores.items()}, sort)
    lines = [_line(name, str(counts[name]), scores[name]) for name in ranked]
    return Table(["Sequence", "Objects", *METRICS.values()], lines, mean_lines(result))


def object_table(result: Result, sort: Sort = "worst") -> Table:
    """A line an object: on how many frames it is scored, and its figures; then the means of `mean_lines`."""
    scores = {key: with_mean(figures) for key, figures in result.scores.items()}
    counts = {key: str(len(result.frames[key].frames)) if key in result.frames else "" for key in scores}
    ranked = rank({key: figures["J&F_mean"] for key, figures in scores.items()}, sort)
    lines = [
        _line(f"{sequence}_{identity}", counts[sequence, identity], scores[sequence, identity])
        for sequence, identity in ranked
    ]
    columns = ["Object", "Frames", *METRICS.values()]
    means = [Line(line.label, [Cell(""), *line.cells[1:]]) for line in mean_lines(result)]
    return Table(columns, lines, means)


def mean_lines(result: Result) -> list[Line]:
    """Means over groups of objects, over all, and YouTube-VOS's overall figure, with the number of objects."""
    means = result.group_means.items()
    lines = [_line(f"mean, {name} categories", str(len(result.groups[name])), scores) for name, scores in means]
    lines.append(_line("mean over objects", str(len(result.scores)), result.mean))
    if result.overall is not None:
        cells = [Cell(""), Cell(percent(result.overall)), *[Cell("")] * (len(METRICS) - 1)]
        lines.append(Line("overall: seen, unseen", cells))
    return lines


def rank(values: dict[Key, float], sort: Sort) -> list[Key]:
    """Keys in the order asked for; equal values by name."""
    named: Iterable[Key] = sorted(values)
    if sort == "name":
        return list(named)
    return sorted(named, key=lambda key: values[key] if sort == "worst" else -values[key])


def with_mean(scores: Scores) -> Scores:
    """The figures of one object with ``J&F_mean`` in front."""
    return {"J&F_mean": (scores["J_mean"] + scores["F_mean"]) / 2, **scores}


def _line(label: str, count: str, scores: Scores) -> Line:
    return Line(label, [Cell(count), *(Cell(percent(scores[key])) for key in METRICS)])
