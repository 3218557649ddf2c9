"""J and F of one sequence from arrays of object ids: no files, and nothing but numpy and OpenCV."""

from collections.abc import Iterable, Iterator, Mapping, Sized
from dataclasses import asdict, dataclass
from itertools import zip_longest
from typing import get_args

import numpy as np

from maskvos.evaluation.statistics import FIGURES, average
from maskvos.evaluation.tally import VOID, Figures, ObjectScores, Protocol, Tally


@dataclass(frozen=True, eq=False)
class SequenceScores:
    """Every object by id, ascending, and the means over objects."""

    protocol: Protocol
    objects: Mapping[int, ObjectScores]
    mean: Figures


def evaluate_masks(
    truth: Iterable[np.ndarray],
    prediction: Iterable[np.ndarray],
    objects: Iterable[int] | None = None,
    protocol: Protocol = "davis",
) -> SequenceScores:
    """Score one sequence given as arrays; frames are taken one after the other and none is kept.

    Args:
        truth: (T, H, W) uint8 ids, or an iterable of (H, W) such as a generator that reads files; 0 is background, 255
            void, which counts as background (the official evaluator does so in the semi-supervised task).
        prediction: as ``truth``, of the same length and sizes.
        objects: ids to score, in 1..254; other ids of the prediction are then ignored. Without them: ``davis`` 1 to the
            highest id of the first frame, as the official evaluator; otherwise every id that the ground truth holds.
        protocol: which frames count. ``davis``: all but the first and the last. ``youtubevos``: of each object those
            after the first one where the ground truth holds it. ``all``: all.

    Raises:
        ValueError: names the frame where an array is not (H, W) uint8, where sizes differ, where one side ends before
            the other, or where the prediction holds ids that the ground truth lacks (unless ``objects`` is given);
            the ground truth lacks one of ``objects``; no object or no frame is left to score.
    """
    if protocol not in get_args(Protocol):
        raise ValueError(f"protocol must be one of {', '.join(get_args(Protocol))}, not {protocol!r}")
    tally, length = Tally(protocol, None if objects is None else _check_objects(objects)), 0
    for true_ids, ids in _pair(truth, prediction):
        tally.add(length, true_ids, ids)
        length += 1
    scores = tally.finish(length)
    mean = average(asdict(found.figures) for found in scores.values())
    return SequenceScores(protocol, scores, Figures(**{figure: mean[figure] for figure in FIGURES}))


def _check_objects(objects: Iterable[int]) -> list[int]:
    found = sorted(set(objects))
    if not found or not 0 < found[0] <= found[-1] < VOID:
        raise ValueError(f"objects must be ids in 1..254, not {found}")
    return found


def _pair(truth: Iterable[np.ndarray], prediction: Iterable[np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Both arrays of each frame, checked."""
    lengths = [len(masks) if isinstance(masks, Sized) else None for masks in (truth, prediction)]
    if None not in lengths and lengths[0] != lengths[1]:  # before anything is computed
        raise ValueError(f"the ground truth has {lengths[0]} frames, the prediction {lengths[1]}")
    shape = None
    for position, masks in enumerate(zip_longest(truth, prediction)):
        for name, ids in zip(("ground truth", "prediction"), masks, strict=True):
            if ids is None:
                raise ValueError(f"frame {position}: the {name} ends before the other side")
            if not isinstance(ids, np.ndarray) or ids.dtype != np.uint8 or ids.ndim != 2 or not ids.size:
                found = f"{ids.shape} {ids.dtype}" if isinstance(ids, np.ndarray) else type(ids).__name__
                raise ValueError(f"frame {position}: the {name} must be an array (H, W) uint8 of ids, not {found}")
            shape = shape or ids.shape
            if ids.shape != shape:
                raise ValueError(f"frame {position}: the {name} is {ids.shape}, the first ground truth is {shape}")
        yield masks
