"""What an evaluation found, and its files: metrics.json and objects.csv."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from maskvos.errors import UserError
from maskvos.evaluation.faults import Fault, Faults
from maskvos.evaluation.frames import FrameScores
from maskvos.evaluation.statistics import FIGURES, Scores, average
from maskvos.storage.atomic import atomic_file


@dataclass(frozen=True)
class Result:
    """Figures of every object, by sequence and id in the dataset's order.

    ``groups`` sorts objects (as ``sequence, id``) into named groups, such as seen and unseen categories; each gets a
    mean of its own. ``set`` and ``row`` say which evaluation set and which row of the results table this is.
    ``frames`` holds J and F of every object on each scored frame. ``forgiven`` lists the faults that a lenient
    evaluation passed over; None: it was strict. ``inputs`` names the folders that a command compared.
    """

    protocol: str
    scores: Mapping[tuple[str, int], Scores]
    groups: Mapping[str, list[tuple[str, int]]] = field(default_factory=dict)
    set: str = ""
    row: str = ""
    frames: Mapping[tuple[str, int], FrameScores] = field(default_factory=dict, compare=False, repr=False)
    forgiven: tuple[Fault, ...] | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_frames(
        cls,
        protocol: str,
        frames: Mapping[tuple[str, int], FrameScores],
        groups: Mapping[str, list[tuple[str, int]]] | None = None,
        set: str = "",
    ) -> "Result":
        """The result whose figures are those of ``frames``."""
        scores = {key: values.figures for key, values in frames.items()}
        return cls(protocol, scores, groups or {}, set, frames=frames)

    def with_faults(self, faults: Faults) -> "Result":
        """This result with what was forgiven on the way to it."""
        return replace(self, forgiven=tuple(faults.forgiven) if faults.lenient else None)

    @property
    def objects(self) -> dict[str, Scores]:
        """Figures by object, named ``SEQUENCE_ID`` as the official evaluator does."""
        return {f"{sequence}_{identity}": scores for (sequence, identity), scores in self.scores.items()}

    @property
    def scored_frames(self) -> dict[str, int]:
        """How many frames each object was scored on."""
        return {f"{sequence}_{identity}": len(found.frames) for (sequence, identity), found in self.frames.items()}

    @property
    def mean(self) -> Scores:
        """The global figures: means over objects, not over sequences."""
        return average(self.scores.values())

    @property
    def sequences(self) -> dict[str, Scores]:
        """Means over each sequence's objects."""
        members: dict[str, list[Scores]] = {}
        for (sequence, _), scores in self.scores.items():
            members.setdefault(sequence, []).append(scores)
        return {sequence: average(scores) for sequence, scores in members.items()}

    @property
    def group_means(self) -> dict[str, Scores]:
        """Means over each group's objects."""
        return {name: average(self.scores[key] for key in keys) for name, keys in self.groups.items()}

    @property
    def overall(self) -> float | None:
        """YouTube-VOS's one figure: the mean of J and F over seen and over unseen categories, each of the four counting
        the same; None where there are not both groups."""
        means = self.group_means
        if not {"seen", "unseen"} <= set(means):
            return None
        return (means["seen"]["J&F_mean"] + means["unseen"]["J&F_mean"]) / 2


def write_result(result: Result, metrics: Path, objects: Path) -> None:
    """Write both files, or neither: what stood there stays where one cannot be written.

    Raises:
        UserError: a file cannot be written, or both have one name.
    """
    if metrics.resolve() == objects.resolve():
        raise UserError(f"{metrics}: asked for as the metrics and as the table of objects. Name two files.")
    with atomic_file(metrics) as partial_metrics, atomic_file(objects) as partial_objects:
        partial_metrics.write_text(metrics_text(result), encoding="utf-8")
        partial_objects.write_text(objects_text(result), encoding="utf-8")


def write_metrics(result: Result, path: Path | str) -> None:
    """Write `metrics_text` to ``metrics.json``, atomically.

    Raises:
        UserError: the file cannot be written.
    """
    with atomic_file(path) as partial:
        partial.write_text(metrics_text(result), encoding="utf-8")


def metrics_text(result: Result) -> str:
    """The content of ``metrics.json``: protocol, set, row, (inputs, forgiven,) global, (overall, groups,) sequences,
    objects(, scored_frames of each object); those in brackets where there are any."""
    content = {
        "protocol": result.protocol,
        "set": result.set,
        "row": result.row,
        **({"inputs": dict(result.inputs)} if result.inputs else {}),
        **({} if result.forgiven is None else {"forgiven": [fault.describe() for fault in result.forgiven]}),
        "global": result.mean,
        **({"overall": result.overall} if result.overall is not None else {}),
        **({"groups": result.group_means} if result.groups else {}),
        "sequences": result.sequences,
        "objects": result.objects,
        **({"scored_frames": result.scored_frames} if result.frames else {}),
    }
    return json.dumps(content, indent=1) + "\n"


def write_objects(result: Result, path: Path | str) -> None:
    """Write `objects_text` to ``objects.csv``, atomically.

    Raises:
        UserError: the file cannot be written.
    """
    with atomic_file(path) as partial:
        partial.write_text(objects_text(result), encoding="utf-8")


def objects_text(result: Result) -> str:
    """The content of ``objects.csv`` in the official evaluator's form: a row an object, then MEAN; eight decimals."""
    rows = {**result.objects, "MEAN": result.mean}
    lines = [",".join(("object", *FIGURES))]
    lines += [",".join((name, *(f"{scores[figure]:.8f}" for figure in FIGURES))) for name, scores in rows.items()]
    return "\n".join(lines) + "\n"
