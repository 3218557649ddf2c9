"""Two runs on the same set: by how much they differ, and whether that can be told from chance."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maskvos.errors import UserError
from maskvos.evaluation.bootstrap import Interval, paired_intervals
from maskvos.evaluation.runs import Run
from maskvos.evaluation.statistics import Scores, average

COMPARED = ("J&F_mean", "J_mean", "F_mean")
_SHOWN = 3  # names in a message


@dataclass(frozen=True)
class Comparison:
    """``first`` and ``second`` are the runs' means over objects, ``sequences`` their means over each one's objects.
    ``paths`` name the two files, as the user did.

    ``intervals`` hold second minus first of each figure in `COMPARED`, as fractions.
    """

    protocol: str
    set: str
    objects: int
    first: Scores
    second: Scores
    sequences: dict[str, tuple[Scores, Scores]]
    intervals: dict[str, Interval]
    confidence: float
    resamples: int
    seed: int
    paths: tuple[Path, Path]

    def ranked(self) -> list[str]:
        """Sequences by how far J&F differs, the farthest first; equal ones by name."""
        return sorted(self.sequences, key=lambda name: (-abs(self.difference(name)), name))

    def difference(self, sequence: str, figure: str = "J&F_mean") -> float:
        """Second minus first in one sequence."""
        first, second = self.sequences[sequence]
        return second[figure] - first[figure]


def compare_runs(
    first: Run, second: Run, confidence: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> Comparison:
    """Paired differences of J, F and J&F, with bootstrap intervals over sequences; see `paired_intervals`.

    Raises:
        UserError: the runs are of different protocols, sets or objects; a number is out of range.
    """
    if not 0 < confidence < 1:
        raise UserError(f"--confidence {confidence:g}: expected a number between 0 and 1, such as 0.95.")
    if resamples < 100:
        raise UserError(f"--resamples {resamples}: too few for an interval. Give at least 100; 10000 are usual.")
    if seed < 0:
        raise UserError(f"--seed {seed}: expected a whole number from 0 on.")
    _check_same(first, second)
    members: dict[str, list[tuple[str, int]]] = {}
    for key in first.scores:
        members.setdefault(key[0], []).append(key)
    sequences = {
        name: (average(first.scores[key] for key in keys), average(second.scores[key] for key in keys))
        for name, keys in members.items()
    }
    counts = np.array([len(keys) for keys in members.values()])
    means = np.array([[after[figure] - before[figure] for figure in COMPARED] for before, after in sequences.values()])
    intervals = paired_intervals(means * counts[:, None], counts, confidence, resamples, seed)
    return Comparison(
        first.protocol,
        first.set,
        len(first.scores),
        average(first.scores.values()),
        average(second.scores[key] for key in first.scores),
        sequences,
        dict(zip(COMPARED, intervals, strict=True)),
        confidence,
        resamples,
        seed,
        (first.path, second.path),
    )


def _check_same(first: Run, second: Run) -> None:
    for what, of_first, of_second in (("protocol", first.protocol, second.protocol), ("set", first.set, second.set)):
        if of_first != of_second:
            raise UserError(
                f"{second.path}: the {what} is {of_second!r}, that of {first.path} is {of_first!r}. "
                "Only runs on the same set by the same protocol can be compared; evaluate one of them again."
            )
    for one, other in ((first, second), (second, first)):
        absent = one.scores.keys() - other.scores.keys()
        if absent:
            raise UserError(
                f"{other.path}: lacks {_name(absent)}, which {one.path} has. Only runs on the same objects can be "
                "compared; evaluate both against the same ground truth."
            )
    for key in first.scores:
        counts = {run.scored_frames[key] for run in (first, second) if key in run.scored_frames}
        named = {tuple(run.frames[key].frames) for run in (first, second) if key in run.frames}
        if len(counts) > 1 or len(named) > 1:
            raise UserError(
                f"{second.path}: object {_name([key])} is scored on other frames than in {first.path}. Evaluate both "
                "against the same ground truth."
            )


def _name(keys: Iterable[tuple[str, int]]) -> str:
    names = [f"{sequence}_{identity}" for sequence, identity in sorted(keys)]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
