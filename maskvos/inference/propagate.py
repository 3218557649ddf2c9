"""Tracking through a video: each frame is seen once, predicted from the memory, and kept as a reference."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from maskvos.datasets.sequence import VOID, Sequence, object_ids
from maskvos.errors import UserError
from maskvos.inference.beside import with_lab
from maskvos.inference.features import FeatureExtractor
from maskvos.inference.geometry import (
    STRIDE,
    Geometry,
    plan_geometry,
    to_grid,
    to_labels,
    to_working,
    working_masks,
    working_picture,
)
from maskvos.inference.groups import coarse_masks, gathered_values
from maskvos.inference.memory import ReferenceMemory
from maskvos.inference.methods import Frame, LabelPropagation, MaskEmbedding, Method, with_background
from maskvos.networks.model import MaskVOS
from maskvos.params.inference import Tracking

Frames = Iterable[tuple[str, np.ndarray]]
"""Frame names and images (H, W, 3) uint8 RGB, in order; read once."""
Given = Mapping[str, np.ndarray]
"""Frame name -> (H, W) uint8 ids of the objects that are given there for the first time, 0 elsewhere."""


@dataclass(frozen=True)
class Prediction:
    """Masks of one frame: ``ids`` (H, W) uint8 at original resolution; ``probabilities`` (K+1, H', W') at working
    resolution, background first, then all objects of the video by ascending id (0 for those not given so far)."""

    frame: str
    ids: np.ndarray
    probabilities: Tensor


def given_masks(sequence: Sequence) -> dict[str, np.ndarray]:
    """The only annotations that inference may see: each object in the frame where it is given.

    Raises:
        UserError: no object is given, or the frame where one is given has no annotation.
    """
    if not sequence.first_frames:
        raise UserError(
            f"sequence {sequence.name}: no object is annotated, there is nothing to track. Add a first mask."
        )
    given: dict[str, np.ndarray] = {}
    for identity, frame in sequence.first_frames.items():
        annotation = sequence.annotation(frame)
        if annotation is None:
            raise UserError(
                f"sequence {sequence.name}: object {identity} is given in frame {frame}, which has no annotation. "
                "Restore the annotation file."
            )
        mask = given.setdefault(frame, np.zeros_like(annotation))
        mask[annotation == identity] = identity
    return given


def propagate_labels(
    frames: Frames,
    given: Given,
    features: FeatureExtractor,
    settings: Tracking,
    device: torch.device,
    stride: int = STRIDE,
) -> Iterator[Prediction]:
    """Copy labels along the affinity of any features (Eq. 8), ``stride`` pixels apart; yields every frame in order.

    Raises:
        UserError: a mask does not fit its frame, or frames differ in size.
    """
    return _track(frames, given, LabelPropagation(features, stride), settings, device)


def segment_sequence(
    frames: Frames, given: Given, model: MaskVOS, settings: Tracking, device: torch.device, precision: str = "fp32"
) -> Iterator[Prediction]:
    """The full method (Eq. 5 to 9); yields every frame in order.

    Raises:
        UserError: a mask does not fit its frame, or frames differ in size.
    """
    return _track(frames, given, MaskEmbedding.from_settings(model, settings, precision), settings, device)


@torch.inference_mode()
def _track(
    frames: Frames, given: Given, method: Method, settings: Tracking, device: torch.device
) -> Iterator[Prediction]:
    tracker: Tracker | None = None
    waiting = set(given)
    for name, image in frames:
        if tracker is None:
            tracker = Tracker(method, image.shape[:2], given, settings, device)
        waiting.discard(name)
        yield tracker.step(name, image)
    if waiting:
        raise UserError(f"masks are given for the frames {', '.join(sorted(waiting))}, which the video does not have.")


class Tracker:
    """The state of one video: geometry, objects and memory.

    Args:
        size: (H, W) of the frames.
        given: the first masks of all objects of the video.
    """

    def __init__(
        self, method: Method, size: tuple[int, int], given: Given, settings: Tracking, device: torch.device
    ) -> None:
        self.method, self.settings, self.device, self.given = method, settings, device, given
        self.geometry: Geometry = plan_geometry(size[0], size[1], settings.short_side, method.stride)
        # An object without a pixel stays in the list: it is simply never found.
        self.objects = sorted({identity for mask in given.values() for identity in object_ids(mask)})
        if sum(len(object_ids(mask)) for mask in given.values()) != len(self.objects):
            raise UserError("an object is given in more than one frame. Give each object once, where it first appears.")
        self.names = np.array([0, *self.objects], np.uint8)
        self.memory: ReferenceMemory | None = None

    def step(self, name: str, image: np.ndarray) -> Prediction:
        """Predict one frame and keep it.

        Raises:
            UserError: the frame or its given mask has another size than the video.
        """
        self._check(name, "frame", image)
        first = self.given.get(name)
        new = [self.objects.index(identity) for identity in object_ids(first)] if first is not None else []
        masks = torch.zeros((len(self.objects), *self.geometry.working), device=self.device)
        if self.memory is None and not new:  # nothing has been marked so far
            return Prediction(name, np.zeros(self.geometry.original, np.uint8), with_background(masks))
        frame = self.encode(working_picture(image, self.geometry, self.device), self.geometry)
        if self.memory is None:
            self.memory = self.empty_memory(len(frame.key), frame.fine_dim)
        kept, kept_cells = masks.clone(), self.cells(masks)
        if self.memory.groups:
            self._predict(frame, self.memory, masks, kept, kept_cells)
        if first is not None and new:
            self._check(name, "mask of frame", first)
            _override(first, self, new, masks, kept, kept_cells)
        known = sorted({*self.memory.known, *new})
        self.memory.add(frame.key, kept_cells, self.method.values(frame, kept[known]), new, frame.fine)
        probabilities = with_background(masks)
        ids = self.names[to_labels(probabilities, self.geometry)]
        if first is not None:
            ids = np.where((first > 0) & (first < VOID), first, ids)
        return Prediction(name, ids, probabilities)

    def encode(self, picture: Tensor, geometry: Geometry) -> Frame:
        """The method's features of (1, 3, H', W') uint8, Lab patches beside the key where the settings weigh them."""
        frame = self.method.encode(picture, geometry)
        return replace(frame, key=with_lab(frame.key, picture, self.settings.lab_weight, geometry.stride))

    def _predict(self, frame: Frame, memory: ReferenceMemory, masks: Tensor, kept: Tensor, kept_cells: Tensor) -> None:
        """Fill in the known objects: predicted ``masks``, and what is ``kept`` as a reference at both resolutions."""
        known = memory.known
        affinities = memory.match(frame.key)
        coarse = coarse_masks(memory, memory.refine(affinities, frame.fine))
        gathered = gathered_values(memory, affinities)
        refined = self.method.predict(frame, coarse, gathered)[1:]
        masks[known] = refined
        share = {"coarse": 0.0, "mean": 0.5, "refined": 1.0}[self.method.kept_mask]
        kept[known] = torch.lerp(to_working(coarse, self.geometry), refined, share)
        kept_cells[known] = torch.lerp(coarse, self.cells(refined), share)

    def cells(self, masks: Tensor) -> Tensor:
        """Masks (K, H', W') as the memory keeps them: of cells, or of their parts."""
        return to_grid(masks, self.geometry.stride, self.memory.side if self.memory is not None else 1)

    def empty_memory(self, key_dim: int, fine_dim: int, device: torch.device | None = None) -> ReferenceMemory:
        """A memory for this video, without references so far; on the tracker's device unless another is named."""
        groups = sum(bool(object_ids(mask)) for mask in self.given.values())
        grid, count = self.geometry.grid, len(self.objects)
        return ReferenceMemory(grid, key_dim, count, groups, self.settings, device or self.device, fine_dim)

    def _check(self, name: str, what: str, array: np.ndarray) -> None:
        if array.shape[:2] != self.geometry.original:
            raise UserError(
                f"{what} {name} is {array.shape[0]}x{array.shape[1]}, the video's first frame is "
                f"{self.geometry.original[0]}x{self.geometry.original[1]}. All frames and masks must have one size."
            )


def _override(
    first: np.ndarray, tracker: Tracker, new: list[int], masks: Tensor, kept: Tensor, kept_cells: Tensor
) -> None:
    """A given mask replaces whatever was predicted at its pixels."""
    objects = [tracker.objects[number] for number in new]
    given = working_masks(first, objects, tracker.geometry, tracker.device)
    for target, truth in ((masks, given), (kept, given), (kept_cells, tracker.cells(given))):
        target *= (1 - truth.sum(0)).clamp(0, 1)
        target[new] = truth
