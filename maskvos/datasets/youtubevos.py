"""The YouTube-VOS layout: JPEGImages/SEQ, Annotations/SEQ and meta.json with each object's category and frames."""

import json
from pathlib import Path
from typing import Any

from maskvos.datasets.images import IMAGE_SUFFIXES, ImageFiles, by_number, list_files, list_visible
from maskvos.datasets.sequence import Sequence
from maskvos.errors import UserError

Meta = dict[str, dict[int, dict[str, Any]]]


def read_meta(root: Path) -> Meta:
    """Sequence -> object id -> what ``meta.json`` says of it (``category``, ``frames``); empty where there is none.

    Raises:
        UserError: the file is damaged or of another form.
    """
    path = root / "meta.json"
    if not path.is_file():
        return {}
    try:
        videos = json.loads(path.read_text())["videos"]
        return {
            name: {int(identity): _check(entry) for identity, entry in video["objects"].items()}
            for name, video in videos.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path}: not the meta.json of YouTube-VOS ({type(error).__name__}: {error}). Expected "
            "videos -> NAME -> objects -> ID -> frames. Fetch the dataset again."
        ) from None


def _check(entry: dict[str, Any]) -> dict[str, Any]:
    frames = entry["frames"]
    if not frames or not all(isinstance(frame, str) for frame in frames):
        raise ValueError("an object's frames must be a list of names")
    return {**entry, "frames": sorted(frames, key=by_number)}


def annotation_files(root: Path, name: str) -> dict[str, Path]:
    """Frame -> annotation file of one sequence, in order."""
    return list_files(root / "Annotations" / name, (".png",))


def ground_truth_root(root: Path) -> Path | None:
    """The folder whose ``Annotations`` hold every frame, for scoring, where there is one.

    The public valid split gives the first frames only; full annotations lie in ``ground_truth`` within the split's
    folder or in ``SPLIT_ground_truth`` beside it.
    """
    beside = root.resolve().parent / f"{root.resolve().name}_ground_truth"
    return next((folder for folder in (root / "ground_truth", beside) if (folder / "Annotations").is_dir()), None)


def open_youtubevos(root: Path) -> list[Sequence]:
    """Every sequence of a split's folder (``.../train``, ``.../valid``), by name.

    Raises:
        UserError: there are no frames, or ``meta.json`` is damaged.
    """
    meta = read_meta(root)
    images = root / "JPEGImages"
    folders = list_visible(images, Path.is_dir) if images.is_dir() else []
    if not folders:
        raise UserError(
            f"{images}: no sequences. Expected ROOT/JPEGImages/SEQUENCE/FRAME.jpg; name the split's folder."
        )
    return [_open_sequence(root, folder, meta) for folder in folders]


def _open_sequence(root: Path, folder: Path, meta: Meta) -> Sequence:
    files = list_files(folder, IMAGE_SUFFIXES)
    if not files:
        raise UserError(f"{folder}: no frames in this sequence. Restore or remove the folder.")
    objects = {identity: entry["frames"] for identity, entry in meta.get(folder.name, {}).items()}
    return Sequence(folder.name, list(files), ImageFiles(files), annotation_files(root, folder.name), objects)
