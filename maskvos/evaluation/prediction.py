"""A folder of predictions and one file in it, checked before anything is computed from them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maskvos.datasets.images import by_number
from maskvos.errors import UserError
from maskvos.evaluation.faults import Faults
from maskvos.evaluation.ground_truth import GroundTruth, list_folders
from maskvos.storage.masks import read_mask


@dataclass(frozen=True)
class Expected:
    """Frames of one sequence: those that the predictions must hold, and those that they may hold besides."""

    sequence: str
    needed: Collection[str]
    allowed: Collection[str]


def check_folder(folder: Path, expected: Sequence[Expected], others: Collection[str], faults: Faults) -> None:
    """Compare the names in ``FOLDER/SEQUENCE/FRAME.png`` with what is expected.

    Hidden files, files that are no PNG and files beside the sequences' folders (such as the official evaluator's
    tables) are not looked at. ``others`` are sequences of the same dataset that are not asked for.

    Raises:
        UserError: the folder is absent or of another set, or a sequence or a frame is missing; unless forgiven, too, a
            sequence or a frame that the dataset lacks.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder of predictions. Expected PREDICTIONS/SEQUENCE/FRAME.png.")
    found = list_folders(folder)
    if not {entry.sequence for entry in expected} & set(found):
        raise UserError(
            f"{folder}: no predictions of this set. Expected folders of its sequences, {_some(expected)}; found "
            f"{_names(found) or 'no folder'}. Name the folder that holds SEQUENCE/FRAME.png, or another set."
        )
    predicted = GroundTruth(folder, folder)
    frames = {entry.sequence: set(predicted.files(entry.sequence)) for entry in expected}
    for entry in expected:
        _check_missing(folder, entry, frames[entry.sequence])
    for name in sorted(set(found) - {entry.sequence for entry in expected} - set(others)):
        faults.add(
            name,
            (),
            f"{folder / name}: sequence {name} is none of this set. Correct its name or remove it.",
        )
    for entry in expected:
        extra = sorted(frames[entry.sequence] - set(entry.needed) - set(entry.allowed), key=by_number)
        if extra:
            faults.add(
                entry.sequence,
                extra,
                f"{folder / entry.sequence / extra[0]}.png: sequence {entry.sequence} has no frame {_names(extra)}. "
                "Correct the names or remove the files.",
            )


def _check_missing(folder: Path, entry: Expected, frames: set[str]) -> None:
    if entry.needed and not (folder / entry.sequence).is_dir():
        first = min(entry.needed, key=by_number)
        raise UserError(
            f"{folder / entry.sequence}: no predictions of sequence {entry.sequence}, frame {first} on. "
            f"Expected {folder}/{entry.sequence}/FRAME.png for every frame of the protocol; write them all."
        )
    missing = sorted(set(entry.needed) - frames, key=by_number)
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise UserError(
            f"{folder / entry.sequence / missing[0]}.png: the prediction of sequence {entry.sequence} lacks frame "
            f"{missing[0]}{more}. Write every frame of the dataset, under the same name."
        )


def _some(expected: Sequence[Expected]) -> str:
    return _names([entry.sequence for entry in expected])


def _names(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def read_prediction(path: Path, sequence: str, frame: str, shape: tuple[int, ...], reference: str) -> np.ndarray:
    """Ids (H, W) uint8 of one prediction, whose size must be ``shape``, that of ``reference`` ("the image").

    Raises:
        UserError: it is damaged, in colours or of another size; the message names sequence and frame.
    """
    try:
        ids = read_mask(path)
    except UserError as error:
        raise UserError(f"sequence {sequence}, frame {frame}: {error}") from None
    if ids.shape != shape:
        raise UserError(
            f"{path}: sequence {sequence}, frame {frame} is {_size(ids.shape)}, {reference} is {_size(shape)}. "
            "Write predictions at that size (resize ids with nearest neighbour)."
        )
    return ids


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}x{shape[0]}"


def other_ids(mask: np.ndarray, known: frozenset[int]) -> frozenset[int]:
    """Ids beside the known ones and 0. Where the highest id settles it (nearly always), nothing is counted: that is
    slower than J and F together."""
    if known.issuperset(range(1, int(mask.max()) + 1)):
        return frozenset()
    return frozenset(np.unique(mask).tolist()) - known - {0}


def unknown_ids(path: Path, sequence: str, frame: str, unknown: Collection[int], known: Collection[int]) -> str:
    """The message about a prediction that holds ids which its sequence lacks."""
    return (
        f"{path}: sequence {sequence}, frame {frame} holds id {', '.join(map(str, sorted(unknown)))}, the sequence has "
        f"{', '.join(map(str, sorted(known))) or 'none'} (0 is background). Write object ids as pixel values "
        "(palette PNG), not grey levels or probabilities."
    )
