"""Score the frames of many sequences, some at a time: neither figures nor the error named first depend on how many."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from maskvos.errors import UserError
from maskvos.evaluation.faults import Faults
from maskvos.evaluation.frames import FrameScores
from maskvos.evaluation.measures import measure_objects
from maskvos.evaluation.pool import choose_processes, measure_all
from maskvos.evaluation.prediction import other_ids, read_prediction, unknown_ids
from maskvos.storage.masks import read_mask

Progress = Callable[[int, int], None]
"""Called with (frames done, frames in all) after each frame, those that are only checked included."""


@dataclass(frozen=True)
class Task:
    """What a protocol asks for in one sequence.

    ``truth`` maps each scored frame to its ground truth, ``objects`` each object to the frames on which it is scored,
    ``known`` are ids that a prediction may hold although no scored ground truth does. ``unscored`` maps further frames
    to their ground truth: their predictions need not exist, but where they do, size and ids must fit. ``merged`` makes
    one object, 1, of all that is not 0, in ground truth and prediction. ``tolerated`` are further ids at which the
    official tool does not stop.
    """

    sequence: str
    truth: Mapping[str, Path]
    objects: Mapping[int, list[str]]
    known: frozenset[int]
    unscored: Mapping[str, Path] = field(default_factory=dict)
    merged: bool = False
    tolerated: frozenset[int] = frozenset()


@dataclass(frozen=True)
class _Frame:
    sequence: str
    frame: str
    truth: Path
    prediction: Path
    objects: tuple[int, ...]
    known: frozenset[int]
    merged: bool
    needed: bool  # otherwise what is wrong with the prediction is only noted


@dataclass(frozen=True)
class _Measured:
    values: dict[int, tuple[float, float]]
    true_others: frozenset[int]  # ids beside those that the task knows
    predicted_others: frozenset[int]
    fault: str = ""


def score_tasks(
    tasks: list[Task], predictions: Path, faults: Faults, processes: int = 1, progress: Progress | None = None
) -> dict[tuple[str, int], FrameScores]:
    """(sequence, id) -> J and F by frame, from ``predictions/SEQUENCE/FRAME.png``; only objects with a scored frame.

    Every scored frame must have a prediction, see `check_folder`. Faults are forgiven, if at all, where the official
    tool does not look: in frames that are not scored, and ids that the task tolerates.

    Raises:
        UserError: a prediction is damaged, of another size or in colours, or holds an id that its sequence lacks; the
            message names sequence and frame.
    """
    frames = [frame for task in tasks for frame in _list_frames(task, predictions, faults.lenient)]
    measured: dict[tuple[str, str], _Measured] = {}
    results = measure_all(_measure_frame, frames, processes or choose_processes(len(frames)))
    for count, (frame, found) in enumerate(zip(frames, results, strict=True), start=1):
        measured[frame.sequence, frame.frame] = found
        if progress is not None:
            progress(count, len(frames))
    scores = {}
    for task in tasks:
        read = (*task.truth, *task.unscored)
        found_here = {name: measured[task.sequence, name] for name in read if (task.sequence, name) in measured}
        _check_unscored(task, found_here, faults)
        _check_ids(task, found_here, predictions, faults)
        for identity, scored in task.objects.items():
            if scored:
                values = np.array([measured[task.sequence, frame].values[identity] for frame in scored])
                scores[task.sequence, identity] = FrameScores(tuple(scored), values[:, 0], values[:, 1])
    return scores


def _list_frames(task: Task, predictions: Path, lenient: bool) -> Iterator[_Frame]:
    members = {identity: set(frames) for identity, frames in task.objects.items()}
    for frame, truth in (*task.truth.items(), *task.unscored.items()):
        path = predictions / task.sequence / f"{frame}.png"
        if frame in task.truth or path.is_file():
            objects = tuple(identity for identity, frames in members.items() if frame in frames)
            needed = frame in task.truth or not lenient
            yield _Frame(task.sequence, frame, truth, path, objects, task.known, task.merged, needed)


def _measure_frame(frame: _Frame) -> _Measured:
    truth = read_mask(frame.truth)
    try:
        prediction = read_prediction(frame.prediction, frame.sequence, frame.frame, truth.shape, "the ground truth")
    except UserError as error:
        if frame.needed:
            raise
        return _Measured({}, frozenset(), frozenset(), str(error))
    if frame.merged:
        truth, prediction = (np.minimum(mask, 1) for mask in (truth, prediction))
    values = measure_objects(truth, prediction, frame.objects)
    return _Measured(values, other_ids(truth, frame.known), other_ids(prediction, frame.known))


def _check_unscored(task: Task, measured: Mapping[str, _Measured], faults: Faults) -> None:
    for frame, found in measured.items():
        if found.fault:
            faults.add(task.sequence, [frame], found.fault)


def _check_ids(task: Task, measured: Mapping[str, _Measured], predictions: Path, faults: Faults) -> None:
    """An id that the sequence lacks is a mistake of the prediction, not a figure."""
    others = frozenset[int]().union(*(found.true_others for found in measured.values()))
    allowed = task.known | (others & frozenset(task.objects))
    tolerated: dict[frozenset[int], list[str]] = {}
    for frame, found in measured.items():
        unknown = found.predicted_others - allowed
        if unknown and frame in task.truth and not unknown <= task.tolerated:
            raise UserError(_describe(task, predictions, frame, unknown, allowed))
        if unknown:
            tolerated.setdefault(unknown, []).append(frame)
    for unknown, frames in tolerated.items():
        faults.add(task.sequence, frames, _describe(task, predictions, frames[0], unknown, allowed))


def _describe(task: Task, predictions: Path, frame: str, unknown: frozenset[int], allowed: frozenset[int]) -> str:
    return unknown_ids(predictions / task.sequence / f"{frame}.png", task.sequence, frame, unknown, allowed)
