"""How well pseudo masks meet objects that somebody annotated in the training clips: measured, never learned from.

Best-overlap IoU of an object: its intersection and its union with each pseudo mask of the clip are summed over the
annotated frames, and the largest ratio counts. The mean over objects is the average best overlap by which object
proposals are judged (Uijlings et al. 2013), of volumes in space and time instead of boxes.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from maskvos.datasets.davis import RESOLUTION
from maskvos.datasets.images import list_files
from maskvos.datasets.sequence import VOID
from maskvos.errors import UserError
from maskvos.storage.frames import Clip
from maskvos.storage.masks import read_mask

PARAMETER = "clustering.train_annotations_for_measuring_only"


def find_annotations(root: str, clips: Sequence[Clip]) -> dict[str, Path]:
    """Clip -> its folder of annotations, for the clips that have one; no annotation is opened.

    Args:
        root: ``Annotations`` of YouTube-VOS (``SEQUENCE/FRAME.png``) or of DAVIS (``480p`` between); empty: none.
        clips: of the frame store, named as the sequences.

    Raises:
        UserError: the folder is absent or has none of the clips.
    """
    if not root:
        return {}
    folder = Path(root) / RESOLUTION if (Path(root) / RESOLUTION).is_dir() else Path(root)
    if not folder.is_dir():
        raise UserError(f"{PARAMETER}: {folder} is no folder. Name a folder Annotations, or leave it empty.")
    found = {clip.name: folder / clip.name for clip in clips if (folder / clip.name).is_dir()}
    if not found:
        raise UserError(
            f"{PARAMETER}: {folder} has no folder for any of the {len(clips)} training clips, such as "
            f"{clips[0].name}. Name the folder Annotations of the training set, or leave it empty."
        )
    return found


def clip_overlaps(labels: np.ndarray, clip: Clip, folder: Path) -> dict[str, Any]:
    """One clip's entries in clustering.json: ``best_overlap`` by object id, and over how many ``annotated_frames``.

    Empty where not one of the clip's frames has an annotation with an object.

    Args:
        labels: (T, h, w) uint8, 0 background; the grid covers the whole frame.
        clip: the frames' names.
        folder: its annotations, ``FRAME.png``, of any size.

    Raises:
        UserError: an annotation is damaged or holds colours instead of ids.
    """
    files = list_files(folder, (".png",))
    annotated = {place: files[name] for place, name in enumerate(clip.frames) if name in files}
    best = best_overlaps(labels, {place: read_mask(path) for place, path in annotated.items()})
    if not best:
        return {}
    overlaps = {str(identity): round(overlap, 6) for identity, overlap in best.items()}
    return {"best_overlap": overlaps, "annotated_frames": len(annotated)}


def best_overlaps(labels: np.ndarray, annotations: Mapping[int, np.ndarray]) -> dict[int, float]:
    """Best-overlap IoU of each object with any pseudo mask, in 0..1; 0 where there is no pseudo mask.

    Args:
        labels: (T, h, w) uint8: 0 background, which is no pseudo mask, 1.. the pseudo masks.
        annotations: place in the clip -> ids (H, W) uint8; 0 background, 255 void, which counts for nothing. Labels
            are enlarged to this size, each pixel taking the cell that its centre lies in.
    """
    pairs = np.zeros(256 * 256, np.int64)  # pixels by (object id, pseudo mask)
    for place, ids in annotations.items():
        enlarged = _enlarge(labels[place], *ids.shape)
        decided = ids != VOID
        pairs += np.bincount(ids[decided] * np.int64(256) + enlarged[decided], minlength=len(pairs))
    table = pairs.reshape(256, 256)
    objects, masks = table.sum(1), table.sum(0)
    return {
        int(identity): float(np.max(table[identity, 1:] / (objects[identity] + masks[1:] - table[identity, 1:])))
        for identity in np.flatnonzero(objects[1:]) + 1
    }


def _enlarge(labels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Labels (h, w) at (H, W) by the nearest cell, in whole numbers: row y lies in cell floor((y + 1/2) h / H)."""
    rows, columns = (
        (2 * np.arange(length) + 1) * cells // (2 * length)
        for length, cells in zip((height, width), labels.shape, strict=True)
    )
    enlarged: np.ndarray = labels[np.ix_(rows, columns)]
    return enlarged


def summarise_overlaps(clips: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Entries of clustering.json's summary: the mean over all objects, each counting the same, and how many there are.

    Args:
        clips: of every training clip, what ``clip_overlaps`` gave; a clip without annotation is counted.
    """
    measured = [entry["best_overlap"] for entry in clips.values() if "best_overlap" in entry]
    values = [overlap for overlaps in measured for overlap in overlaps.values()]
    mean = {"best_overlap_mean": round(float(np.mean(values)), 6)} if values else {}
    return mean | {
        "annotated_objects": len(values),
        "annotated_clips": len(measured),
        "clips_without_annotation": len(clips) - len(measured),
    }
