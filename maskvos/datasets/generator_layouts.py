"""Generated frames and masks into files: the DAVIS, YouTube-VOS and plain clip layouts."""

import json
from pathlib import Path

import cv2
import numpy as np

from maskvos.datasets.davis import RESOLUTION
from maskvos.storage.atomic import atomic_file
from maskvos.storage.masks import write_mask

QUALITY = 92
SMALLEST = 0.25  # an object is first annotated when it shows so much of its largest visible area
STRIDE = {"davis": 1, "youtubevos": 5, "clips": 1}  # YouTube-VOS numbers the frames of 30 fps and keeps every fifth

_IMAGES = {"davis": f"JPEGImages/{RESOLUTION}", "youtubevos": "JPEGImages", "clips": ""}
_MASKS = {"davis": f"Annotations/{RESOLUTION}", "youtubevos": "ground_truth/Annotations"}


def frame_name(layout: str, index: int) -> str:
    """Name of a sequence's index-th frame."""
    return f"{index * STRIDE[layout]:05d}"


def write_sequence(
    root: Path, layout: str, name: str, images: list[np.ndarray], masks: list[np.ndarray] | None
) -> dict[int, list[int]]:
    """Write one sequence below ``root``.

    Args:
        root: the dataset's folder.
        layout: ``davis``, ``youtubevos`` or ``clips``.
        name: of the sequence.
        images: (H, W, 3) uint8 RGB each.
        masks: exact ids (H, W) uint8 each; None for a training set, which gets frames alone.

    Returns:
        Object id -> indices of the frames from its first annotation on; empty without masks.
    """
    for index, image in enumerate(images):
        path = root / _IMAGES[layout] / name / f"{frame_name(layout, index)}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if masks is None:
        return {}
    first = _first_annotations(masks, late=layout == "youtubevos")
    for index, mask in enumerate(masks):
        given = [label for label, start in first.items() if start <= index]
        truth = np.where(np.isin(mask, given), mask, 0).astype(np.uint8)
        write_mask(root / _MASKS[layout] / name / f"{frame_name(layout, index)}.png", truth)
        new = [label for label, start in first.items() if start == index]
        if layout == "youtubevos" and new:
            # like the public valid split: a file where objects appear, which shows those objects alone
            shown = np.where(np.isin(mask, new), mask, 0).astype(np.uint8)
            write_mask(root / "Annotations" / name / f"{frame_name(layout, index)}.png", shown)
    return {label: list(range(start, len(masks))) for label, start in first.items()}


def _first_annotations(masks: list[np.ndarray], late: bool) -> dict[int, int]:
    """Object id -> index of its first annotation: an entering object is not given by its first sliver.

    Without ``late`` every object is given in the first frame, and one that is hidden there is not part of the task.
    """
    if not late:
        return {int(label): 0 for label in np.unique(masks[0]) if label}
    stack = np.stack(masks)
    first = {}
    for label in range(1, int(stack.max()) + 1):
        area = (stack == label).sum(axis=(1, 2))
        if area.any():
            first[label] = int(np.argmax(area >= SMALLEST * area.max()))
    return first


def write_tables(
    root: Path, layout: str, split: str, objects: dict[str, dict[int, list[int]]], annotated: bool
) -> None:
    """What a layout needs beside frames and masks: DAVIS's list of sequences, YouTube-VOS's meta.json.

    ``objects``: sequence -> object id -> indices of its frames.
    """
    if layout == "davis":
        with atomic_file(root / "ImageSets" / "2017" / f"{split}.txt") as partial:
            partial.write_text("".join(f"{name}\n" for name in objects))
    if layout == "youtubevos" and annotated:
        videos = {
            name: {
                "objects": {
                    str(label): {"category": "generated", "frames": [frame_name(layout, index) for index in frames]}
                    for label, frames in labels.items()
                }
            }
            for name, labels in objects.items()
        }
        with atomic_file(root / "meta.json") as partial:
            partial.write_text(json.dumps({"videos": videos}, indent=1))
