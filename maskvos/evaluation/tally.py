"""One sequence frame by frame: which objects count where, by each protocol, and their J and F so far."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from maskvos.evaluation.measures import measure_objects
from maskvos.evaluation.statistics import score_object

Protocol = Literal["davis", "youtubevos", "all"]
VOID = 255


@dataclass(frozen=True)
class Figures:
    """The six figures of DAVIS, fractions; a decay may be negative. Of several objects: means over objects."""

    J_mean: float
    J_recall: float
    J_decay: float
    F_mean: float
    F_recall: float
    F_decay: float

    @property
    def JF_mean(self) -> float:
        """J&F: the mean of J_mean and F_mean."""
        return (self.J_mean + self.F_mean) / 2


@dataclass(frozen=True, eq=False)
class ObjectScores:
    """One object: ``J`` and ``F`` (T,) float64 in 0..1 on the scored ``frames`` (positions from 0); their figures."""

    frames: tuple[int, ...]
    J: np.ndarray
    F: np.ndarray
    figures: Figures


@dataclass
class Tally:
    """What is remembered from frame to frame: where each id came up first, and the values so far."""

    protocol: Protocol
    objects: list[int] | None
    true_first: dict[int, int] = field(default_factory=dict)
    first: dict[int, int] = field(default_factory=dict)  # in the prediction
    values: dict[int, list[tuple[int, float, float]]] = field(default_factory=dict)  # id -> position, J, F

    def add(self, position: int, truth: np.ndarray, prediction: np.ndarray) -> None:
        """Measure one frame."""
        known = set(self.true_first)
        for first, mask, ids in ((self.true_first, truth, range(1, VOID)), (self.first, prediction, range(1, 256))):
            for identity in set(_ids(mask)).intersection(ids):  # void is no object, and no id to predict
                first.setdefault(identity, position)
        for identity, found in measure_objects(truth, prediction, self._to_measure(position, known)).items():
            # Under `all` an id counts before it comes up, too: there both masks were empty.
            earlier = range(position if self.protocol == "all" else 0)
            values = self.values.setdefault(identity, [(place, 1.0, 1.0) for place in earlier])
            values.append((position, *found))

    def _to_measure(self, position: int, known: set[int]) -> Iterable[int]:
        """``known`` are the ids that earlier frames of the ground truth hold."""
        if self.protocol == "youtubevos":
            return known if self.objects is None else known.intersection(self.objects)
        if self.protocol == "davis":
            return self.chosen if position else ()
        return {*self.true_first, *self.first} if self.objects is None else self.objects

    @property
    def chosen(self) -> list[int]:
        """Ids that are scored, by what is known so far."""
        if self.objects is not None:
            return self.objects
        if self.protocol == "davis":
            return list(range(1, max((identity for identity, at in self.true_first.items() if not at), default=0) + 1))
        return sorted(self.true_first)

    def finish(self, length: int) -> dict[int, ObjectScores]:
        """Every object with a scored frame.

        Raises:
            ValueError: the prediction holds ids of its own, the ground truth lacks an object, or one has no frame.
        """
        unknown = sorted(set(self.first) - set(self.true_first).intersection(self.chosen))
        if unknown and self.objects is None:
            raise ValueError(
                f"frame {self.first[unknown[0]]}: the prediction holds id {unknown[0]}, the ground truth has "
                f"{', '.join(map(str, sorted(self.true_first))) or 'none'}; name the objects to ignore other ids"
            )
        never = sorted(set(self.objects or ()) - set(self.true_first))
        if never:
            raise ValueError(f"the ground truth never holds object {', '.join(map(str, never))}; leave it out")
        end = length - (self.protocol == "davis")  # only now is it known which frame was the last
        kept = {identity: [row for row in self.values.get(identity, []) if row[0] < end] for identity in self.chosen}
        empty = [identity for identity, rows in kept.items() if not rows]
        if not kept or (empty and (self.objects is not None or len(empty) == len(kept))):
            raise ValueError(f"nothing to score: {length} frames by {self.protocol}, objects {empty or 'none'}")
        return {identity: _summarise(rows) for identity, rows in kept.items() if rows}


def _summarise(rows: list[tuple[int, float, float]]) -> ObjectScores:
    frames, similarities, accuracies = zip(*rows, strict=True)
    J, F = np.array(similarities), np.array(accuracies)
    return ObjectScores(frames, J, F, Figures(**score_object(J, F)))


def _ids(ids: np.ndarray) -> list[int]:
    """Ids in a mask but the background; a histogram, because sorting the pixels takes longer than J and F together."""
    import cv2  # here, because scoring folders needs no OpenCV, and a process without it takes less memory

    counts = cv2.calcHist([np.ascontiguousarray(ids)], [0], None, [256], [0, 256]).ravel()
    return [int(identity) for identity in np.flatnonzero(counts) if identity]
