"""Predictions over evaluation frames, beside the ground truth."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from maskvos.datasets.images import list_files
from maskvos.datasets.sequences import Sequence, open_dataset, read_manifest
from maskvos.datasets.youtubevos import ground_truth_root
from maskvos.report.pictures import WIDTH, Gallery, Strip, picture, spread
from maskvos.report.records import Result
from maskvos.storage.masks import read_mask
from maskvos.tables.table import percent

SEQUENCES = 4
_VOID = 255  # marks undecided pixels in DAVIS annotations: no object, so nothing is drawn there

Truth = Callable[[str], np.ndarray | None]


def prediction_galleries(artifacts: Path, name: str, results: list[Result]) -> list[Gallery]:
    """Middle and last annotated frame of some sequences of one set: ground truth, then every row from the last.

    The sequences are spread evenly from the best to the worst J&F of the last row (the full method where it was run);
    over the set in its own order where nothing could be scored.
    """
    path = artifacts / "data" / f"{name}.json"
    if not path.is_file() or not results:
        return []
    manifest, last = read_manifest(path), results[-1]
    sequences = {sequence.name: sequence for sequence in open_dataset(manifest)}
    scored = [sequence for sequence in last.sequences if sequence in sequences]
    ranked = sorted(scored, key=lambda sequence: -last.sequences[sequence].get("J&F_mean", 0.0)) or list(sequences)
    folder = artifacts / "evaluation" / name
    root = ground_truth_root(Path(manifest["root"])) if manifest["layout"] == "youtubevos" else None
    galleries = []
    for place in spread(len(ranked), SEQUENCES):
        rank = f", rank {place + 1} of {len(ranked)} by {last.name.lower()}" if scored else ""
        galleries.append(_gallery(sequences[ranked[place]], results, folder, root, rank))
    return galleries


def _gallery(sequence: Sequence, results: list[Result], folder: Path, root: Path | None, rank: str) -> Gallery:
    given = sequence.annotated_frames[0]
    full = () if root is None else list_files(root / "Annotations" / sequence.name, (".png",))
    after = sequence.frames[sequence.frames.index(given) + 1 :]
    later = [frame for frame in after if frame in (full or sequence.masks)] or sequence.frames[1:]
    frames = [later[place] for place in spread(len(later), 3)[1:]] or later
    images = {frame: sequence.image(frame) for frame in (given, *frames)}

    def strip(title: str, mask: Truth, score: str = "") -> Strip:
        masks = [(frame, mask(frame)) for frame in frames]
        return Strip(title, [None if ids is None else _over(images[frame], ids) for frame, ids in masks], score)

    def truth(frame: str) -> np.ndarray | None:
        return sequence.annotation(frame) if root is None else _stored(root / "Annotations" / sequence.name, frame)

    strips = [strip("Ground truth", truth)]
    for result in reversed(results):  # the strongest idea stands beside the ground truth
        predictions = folder / result.row / "predictions" / sequence.name
        score = percent(result.sequences.get(sequence.name, {}).get("J&F_mean"))
        strips.append(strip(result.name, partial(_stored, predictions), f"J&F {score}"))
    objects = len(sequence.first_frames)
    note = f"{folder.name}, {len(sequence.frames)} frames, {objects} object{'' if objects == 1 else 's'}{rank}"
    ids = sequence.annotation(given)
    first = "" if ids is None else _over(images[given], ids, WIDTH * 3 // 2)
    return Gallery(sequence.name, note, strips, first)


def _stored(folder: Path, frame: str) -> np.ndarray | None:
    path = folder / f"{frame}.png"
    return read_mask(path) if path.is_file() else None


def _over(image: np.ndarray, ids: np.ndarray, width: int = WIDTH) -> str:
    return picture(image, np.where(ids == _VOID, 0, ids).astype(np.uint8), width)
