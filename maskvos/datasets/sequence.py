"""One sequence of frames with its annotations, whatever the layout on disk."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from maskvos.datasets.images import FrameSource, by_number
from maskvos.storage.masks import read_mask

VOID = 255  # DAVIS marks pixels without a decision so; they are no object


def object_ids(mask: np.ndarray) -> list[int]:
    """Ids of the objects in a mask (H, W), ascending; background and void left out."""
    return [int(identity) for identity in np.unique(mask) if 0 < identity < VOID]


@dataclass(frozen=True)
class Sequence:
    """Frames in order, by name.

    ``masks`` are the annotation files, of which a tracker may see ``first_frames``; ``objects`` comes from
    ``meta.json`` where there is one (id -> frames on which it is listed); ``scores_last_frame`` is false in DAVIS;
    ``rate`` is a video file's frames per second, 0 elsewhere.
    """

    name: str
    frames: list[str]
    source: FrameSource
    masks: Mapping[str, Path] = field(default_factory=dict)
    objects: Mapping[int, list[str]] = field(default_factory=dict)
    scores_last_frame: bool = True
    rate: float = 0.0

    def image(self, frame: str) -> np.ndarray:
        """(H, W, 3) uint8 RGB.

        Raises:
            UserError: the image is absent or damaged.
        """
        return self.source.read(frame)

    def annotation(self, frame: str) -> np.ndarray | None:
        """(H, W) uint8 ids, or None where the frame has no annotation.

        Raises:
            UserError: the annotation is damaged or is not a mask of ids.
        """
        return read_mask(self.masks[frame]) if frame in self.masks else None

    @property
    def annotated_frames(self) -> list[str]:
        """Frames that have an annotation, in order."""
        return sorted(self.masks, key=by_number)

    @cached_property
    def first_frames(self) -> dict[int, str]:
        """Object id -> the frame where it is given: the first one in ``meta.json``, else in the annotations.

        In a DAVIS sequence that is the first frame for every object: those that the first annotation lacks are not
        part of the task.
        """
        if self.objects:
            return {identity: frames[0] for identity, frames in sorted(self.objects.items())}
        first: dict[int, str] = {}
        frames = self.annotated_frames if self.scores_last_frame else self.annotated_frames[:1]
        for frame in frames:
            for identity in object_ids(read_mask(self.masks[frame])):
                first.setdefault(identity, frame)
        return dict(sorted(first.items()))

    @property
    def scored_frames(self) -> list[str]:
        """Frames that the protocol asks for: DAVIS all but the first and the last; YouTube-VOS those that ``meta.json``
        lists (without it all) after the first frame of some object."""
        if not self.scores_last_frame:
            return self.frames[1:-1]
        if self.objects:
            return sorted({frame for frames in self.objects.values() for frame in frames[1:]}, key=by_number)
        start = min(map(by_number, self.first_frames.values()), default=None)
        return [] if start is None else [frame for frame in self.frames if by_number(frame) > start]
