"""This run's learned rows above the paper's numbers."""

from maskvos.params import Params
from maskvos.report import paper
from maskvos.report.records import Result
from maskvos.report.tables import cell
from maskvos.tables.table import ABSENT, Cell, Line, Table

_LEARNED = ("backbone", "correspondence", "full")


def comparisons(params: Params, results: dict[str, list[Result]]) -> list[tuple[str, Table]]:
    """Titles and tables beside the paper: DAVIS always, YouTube-VOS where the run has a set in that layout."""

    def of_layout(layout: str) -> dict[str, list[Result]]:
        known = params.data.evaluation
        return {name: rows for name, rows in results.items() if name in known and known[name].layout == layout}

    found = [("DAVIS-2017 val", davis_comparison(of_layout("davis")))]
    if of_layout("youtubevos"):
        found.append(("YouTube-VOS val", youtube_comparison(of_layout("youtubevos"))))
    return found


def davis_comparison(results: dict[str, list[Result]]) -> Table:
    """Above DAVIS-2017 val of the paper (Tables 1 and 4a)."""
    lines = _ours(results, ("J&F_mean", "J_mean", "J_recall", "F_mean", "F_recall"))
    lines += [_line(row.method, (row.mean, row.J, row.Jr, row.F, row.Fr), row.table) for row in paper.DAVIS_VAL]
    return Table(["Method", "Source", "J&F", "J", "J recall", "F", "F recall"], lines)


def youtube_comparison(results: dict[str, list[Result]]) -> Table:
    """Above YouTube-VOS val of the paper (Table 3)."""
    lines = [
        Line(result.name, [Cell(f"this run, {name}"), *map(cell, _by_group(result))])
        for name, rows in results.items()
        for result in rows
        if result.row in _LEARNED
    ]
    lines += [_line(row.method, row[2:], row.table) for row in paper.YOUTUBE_VOS_VAL]
    return Table(["Method", "Source", "J&F", "J seen", "F seen", "J unseen", "F unseen"], lines)


def _by_group(result: Result) -> list[float | None]:
    """As the server counts: the four means after the mean of them (without groups, the mean over objects)."""
    groups = result.groups
    four = [groups.get(group, {}).get(key) for group in ("seen", "unseen") for key in ("J_mean", "F_mean")]
    known = [value for value in four if value is not None]
    return [sum(known) / 4 if len(known) == 4 else result.overall.get("J&F_mean"), *four]


def _ours(results: dict[str, list[Result]], keys: tuple[str, ...]) -> list[Line]:
    return [
        Line(result.name, [Cell(f"this run, {name}"), *(cell(result.overall.get(key)) for key in keys)])
        for name, rows in results.items()
        for result in rows
        if result.row in _LEARNED
    ]


def _line(method: str, numbers: tuple[float | None, ...], table: str) -> Line:
    cells = [Cell(ABSENT if number is None else f"{number:.1f}") for number in numbers]
    return Line(method, [Cell(f"paper, Table {table}"), *cells], ours=False)
