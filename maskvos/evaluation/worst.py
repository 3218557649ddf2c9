"""The worst frames of an evaluation as pictures: a folder of PNGs and a table of them, worst.csv."""

import csv
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from maskvos.datasets.images import IMAGE_SUFFIXES, ImageFiles, list_files
from maskvos.errors import UserError
from maskvos.evaluation.ground_truth import GroundTruth
from maskvos.evaluation.mistakes import Caption, draw_mistakes
from maskvos.evaluation.result import Result
from maskvos.evaluation.spread import pick_spread
from maskvos.storage.atomic import atomic_folder
from maskvos.storage.masks import read_mask

INDEX = "worst.csv"
COLUMNS = ("file", "sequence", "frame", "object", "J", "F")


@dataclass(frozen=True)
class Scene:
    """What the pictures are made of; ``merged`` as in `Task`: all that is not 0 is object 1."""

    truth: GroundTruth
    predictions: Path
    merged: bool = False


def check_folder(folder: Path, files: Iterable[Path]) -> None:
    """Make sure that replacing ``folder`` loses nothing but pictures of an earlier evaluation.

    Args:
        folder: for the pictures; it need not exist.
        files: other outputs, which must lie elsewhere.

    Raises:
        UserError: it holds something else, or is a file.
    """
    within = next((path for path in files if folder.resolve() in (path.resolve(), *path.resolve().parents)), None)
    if within is not None:
        raise UserError(f"--worst-dir {folder}: replacing this folder would delete {within}. Name another folder.")
    strange = _strange(folder)
    if strange:
        raise UserError(
            f"--worst-dir {folder}: holds {strange[0]}, which is no picture of an earlier evaluation, and would be "
            "replaced as a whole. Name another folder."
        )


def _strange(folder: Path) -> list[str]:
    """What lies there beside pictures of an earlier evaluation."""
    if not folder.exists():
        return []
    found = {path.name for path in folder.iterdir()} if folder.is_dir() else {folder.name}
    index = folder / INDEX
    known: set[str] = set()
    if index.is_file():
        with index.open(newline="", encoding="utf-8") as file:
            known = {INDEX, *(row.get("file") or "" for row in csv.DictReader(file))}
    return sorted(found - known)


def remove_pictures(folder: Path) -> bool:
    """Remove the pictures of an earlier evaluation, whose figures have just been replaced; whether there were any.

    A folder that holds anything else stays as it is.
    """
    if not (folder / INDEX).is_file() or _strange(folder):
        return False
    shutil.rmtree(folder)
    return True


def write_worst(result: Result, scene: Scene, count: int, folder: Path) -> None:
    """Draw the ``count`` frames and objects with the lowest (J + F) / 2 into ``folder``, worst first.

    Frames of one object are some frames apart, see `pick_spread`. The folder appears whole or not at all.

    Raises:
        UserError: an image or a mask cannot be read, or the folder cannot be written.
    """
    values = {key: (scores.J + scores.F) / 2 for key, scores in result.frames.items()}
    picked = pick_spread(values, count)
    digits = len(str(len(picked)))
    with atomic_folder(folder) as partial:
        rows = []
        for rank, ((sequence, identity), place) in enumerate(picked, start=1):
            scores = result.frames[sequence, identity]
            frame, J, F = scores.frames[place], float(scores.J[place]), float(scores.F[place])
            name = f"{rank:0{digits}d}_{sequence}_{frame}_{identity}.png"
            caption = Caption(
                f"{sequence}   frame {frame}   object {identity}",
                f"J {100 * J:.1f}   F {100 * F:.1f}   J&F {50 * (J + F):.1f}",
            )
            Image.fromarray(_draw(scene, sequence, frame, identity, caption)).save(partial / name)
            rows.append((name, sequence, frame, identity, f"{J:.8f}", f"{F:.8f}"))
        with (partial / INDEX).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows((COLUMNS, *rows))


def _draw(scene: Scene, sequence: str, frame: str, identity: int, caption: Caption) -> np.ndarray:
    truth = read_mask(scene.truth.files(sequence)[frame])
    prediction = read_mask(scene.predictions / sequence / f"{frame}.png")
    if scene.merged:
        truth, prediction = np.minimum(truth, 1), np.minimum(prediction, 1)
    others = (truth > 0) & (truth != identity) & (truth < 255)
    return draw_mistakes(_image(scene, sequence, frame), truth == identity, prediction == identity, caption, others)


def _image(scene: Scene, sequence: str, frame: str) -> np.ndarray | None:
    images = scene.truth.images
    files = {} if images is None else list_files(images / sequence, IMAGE_SUFFIXES)
    return ImageFiles(files).read(frame) if frame in files else None
