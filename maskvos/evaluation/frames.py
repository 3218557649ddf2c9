"""J and F of one object on each of its scored frames, and their file frames.csv."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maskvos.errors import UserError
from maskvos.evaluation.statistics import Scores, score_object
from maskvos.storage.atomic import atomic_file

COLUMNS = ("sequence", "frame", "object", "J", "F")


@dataclass(frozen=True, eq=False)
class FrameScores:
    """``frames`` are the scored ones by name, in order; ``J`` and ``F`` are (T,) float64 in 0..1, one a frame."""

    frames: Sequence[str]
    J: np.ndarray
    F: np.ndarray

    @property
    def figures(self) -> Scores:
        """The six figures of the object."""
        return score_object(self.J, self.F)


def write_frames(frames: Mapping[tuple[str, int], FrameScores], path: Path | str) -> None:
    """Write `frames_text` to ``frames.csv``, atomically.

    Raises:
        UserError: the file cannot be written.
    """
    with atomic_file(path) as partial:
        partial.write_text(frames_text(frames), encoding="utf-8", newline="")


def frames_text(frames: Mapping[tuple[str, int], FrameScores]) -> str:
    """The content of ``frames.csv``: a row an object and scored frame, object by object; eight decimals."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for (sequence, identity), scores in frames.items():
        for frame, similarity, accuracy in zip(scores.frames, scores.J, scores.F, strict=True):
            writer.writerow((sequence, frame, identity, f"{similarity:.8f}", f"{accuracy:.8f}"))
    return text.getvalue()


def read_frames(path: Path | str) -> dict[tuple[str, int], FrameScores]:
    """(sequence, id) -> J and F by frame, from what `write_frames` wrote.

    Raises:
        UserError: the file is absent or is no such table.
    """
    rows: dict[tuple[str, int], list[tuple[str, float, float]]] = {}
    try:
        with Path(path).open(newline="", encoding="utf-8") as file:
            header, *lines = csv.reader(file)
        if tuple(header) != COLUMNS:
            raise ValueError(f"columns {', '.join(header)}")
        for sequence, frame, identity, similarity, accuracy in lines:
            rows.setdefault((sequence, int(identity)), []).append((frame, float(similarity), float(accuracy)))
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path}: not a table of {', '.join(COLUMNS)} ({error}). Write it again: maskvos evaluate ... --frames."
        ) from None
    return {
        key: FrameScores(tuple(frames), np.array(similarities), np.array(accuracies))
        for key, values in rows.items()
        for frames, similarities, accuracies in [zip(*values, strict=True)]
    }
