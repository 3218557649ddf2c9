"""Experiments side by side: `maskvos table --experiments`."""

from collections import Counter
from pathlib import PurePath
from statistics import mean, stdev
from typing import Any

from maskvos.report.experiments import Experiment, together
from maskvos.tables.table import ABSENT, Cell, Line, Table

SETTINGS = "differs in"


def experiment_table(experiments: list[Experiment]) -> Table:
    """A line for each setting and row of the results: J, F and J&F over the objects of all sets together, J&F of each
    set, all in percent. Of several seeds the mean and the sample standard deviation. Then the settings that are not
    those of most lines.
    """
    sets = list(dict.fromkeys(chosen for experiment in experiments for chosen, _ in experiment.figures))
    groups = together(experiments)
    usual = _usual([group[0].settings for group in groups])
    lines = [
        _line(group, row, sets, usual)
        for group in groups
        for row in dict.fromkeys(row for experiment in group for _, row in experiment.figures)
    ]
    return Table(["experiment", "row", "seeds", "J", "F", "J&F", *(f"{name} J&F" for name in sets), SETTINGS], lines)


def _line(group: list[Experiment], row: str, sets: list[str], usual: dict[str, Any]) -> Line:
    # of two runs of one seed the first: the same thing twice is no spread
    by_seed = {one.settings.get("seed", 0): one for one in reversed(group) if any(at[1] == row for at in one.figures)}
    measured = [by_seed[seed] for seed in sorted(by_seed)]
    whole = [[_mean(one, row, sets, figure) for one in measured] for figure in ("J_mean", "F_mean")]
    each = [[_both(one, row, [name]) for one in measured] for name in sets]
    columns = [*whole, [_both(one, row, sets) for one in measured], *each]
    seeds = ", ".join(_number(seed) for seed in sorted(by_seed))
    first = measured[0]
    differs = [
        f"{name}={_short(name, first.settings.get(name))}"
        for name, value in usual.items()
        if first.settings.get(name) != value
    ]
    cells = [row, seeds, *(_spread(column) for column in columns), " ".join(differs) or ABSENT]
    return Line(first.name, [Cell(text) for text in cells])


def _mean(experiment: Experiment, row: str, sets: list[str], figure: str) -> float | None:
    """Percent, over the objects of these sets; None where one of them is not measured."""
    found = [experiment.figures.get((name, row)) for name in sets]
    values = [objects[figure] for entry in found if entry is not None for objects in entry.values()]
    return 100 * mean(values) if all(entry is not None for entry in found) else None


def _both(experiment: Experiment, row: str, sets: list[str]) -> float | None:
    parts = [_mean(experiment, row, sets, figure) for figure in ("J_mean", "F_mean")]
    return None if parts[0] is None or parts[1] is None else (parts[0] + parts[1]) / 2


def _spread(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return ABSENT
    return f"{known[0]:.1f}" if len(known) == 1 else f"{mean(known):.1f} ± {stdev(known):.1f}"


def _usual(settings: list[dict[str, Any]]) -> dict[str, Any]:
    """Of each setting that is not the same everywhere the commonest value; an equal number of times: the first."""
    names = dict.fromkeys(name for one in settings for name in one if name != "seed")
    values = {name: [one.get(name) for one in settings] for name in names}
    return {
        name: found[Counter(map(str, column)).most_common(1)[0][0]]
        for name, column in values.items()
        if len(found := {str(value): value for value in column}) > 1
    }


def _number(value: float) -> str:
    """DVC gives whole numbers as floats; none may lose a digit, or two experiments would look the same."""
    return str(int(value)) if float(value).is_integer() else f"{value:.12g}"


def _short(name: str, value: Any) -> Any:
    """Of a folder its last part, which is not the machine's; numbers without needless digits."""
    if isinstance(value, float):
        return _number(value)
    return PurePath(value).name if name.endswith(".path") and value else value
