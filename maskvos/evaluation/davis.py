"""The DAVIS protocols with the first mask given (semi-supervised): first and last frames are not scored.

DAVIS-2017: every object of the first frame. Void (255) is background, as in the official evaluator's semi-supervised
task. DAVIS-2016: one object, everything that is not 0 in ground truth and prediction; its annotations are 0 and 255, so
255 is the object there, as in the authors' tools for both years (davis-2017, ``_load_annotation`` with
``single_object``).
"""

from collections.abc import Sequence
from pathlib import Path

from maskvos.console import log
from maskvos.datasets.davis import read_split
from maskvos.datasets.sequence import object_ids
from maskvos.errors import UserError
from maskvos.evaluation.ground_truth import GroundTruth, find_davis
from maskvos.evaluation.result import Result
from maskvos.evaluation.scoring import Progress, Task, score_tasks
from maskvos.storage.masks import read_mask

PROTOCOLS = {2017: "DAVIS-2017 semi-supervised", 2016: "DAVIS-2016 single object"}


def evaluate_davis(
    root: Path | str,
    predictions: Path | str,
    split: str | None = None,
    threads: int = 1,
    progress: Progress | None = None,
    sequences: Sequence[str] | None = None,
    *,
    year: int = 2017,
) -> Result:
    """J and F of ``predictions/SEQUENCE/FRAME.png`` against a dataset in the DAVIS layout.

    Predictions need not hold the first and the last frame; where they do, size and ids are checked. Folders and frames
    that the dataset lacks are warned of. The images of the dataset are not needed. ``sequences`` names a part of the
    split, which is ``val`` unless given. ``root`` may also be a plain folder of SEQUENCE/FRAME.png, without splits: all
    its sequences are scored. ``year`` is 2016 or 2017.

    Raises:
        UserError: ground truth or predictions are incomplete or do not fit each other; see `score_tasks`.
    """
    truth = find_davis(Path(root))
    split = _choose_split(truth, split)
    names = list(sequences) if sequences is not None else _list_sequences(truth, split, year)
    tasks = [_plan(truth, name, year, split) for name in names]
    _warn_of_strangers(truth, Path(predictions), names)
    frames = score_tasks(tasks, Path(predictions), threads, progress)
    return Result.of_frames(PROTOCOLS[year], frames, set=split)


def _choose_split(truth: GroundTruth, split: str | None) -> str:
    if not truth.is_plain:
        return split or "val"
    if split:
        raise UserError(f"{truth.root}: --set {split} needs ROOT/ImageSets; a plain folder of masks is scored whole.")
    return truth.root.resolve().name


def _list_sequences(truth: GroundTruth, split: str, year: int) -> list[str]:
    return truth.sequences() if truth.is_plain else read_split(truth.root, split, year)


def _plan(truth: GroundTruth, name: str, year: int, split: str) -> Task:
    files = truth.files(name)
    frames = list(files)
    if len(frames) < 3:
        raise _too_few(truth, name, len(frames), split)
    scored = frames[1:-1]
    scored_files, unscored = ({frame: files[frame] for frame in part} for part in (scored, (frames[0], frames[-1])))
    if year == 2016:
        return Task(name, scored_files, {1: scored}, frozenset({1}), unscored, merged=True)
    first = object_ids(read_mask(files[frames[0]]))
    if not first:
        raise UserError(f"{files[frames[0]]}: no object in the first annotation of sequence {name}. Ids are 1 to 254.")
    # The official evaluator counts ids from 1 to the highest one, whether or not the first frame has them all.
    objects = range(1, first[-1] + 1)
    if len(first) < first[-1]:
        log.warning(
            "%s: ids %s of sequence %s are not in its first annotation; they are scored as the official evaluator does",
            truth.root,
            sorted(set(objects) - set(first)),
            name,
        )
    return Task(name, scored_files, dict.fromkeys(objects, scored), frozenset(first), unscored)


def _too_few(truth: GroundTruth, name: str, count: int, split: str) -> UserError:
    """Two cases: a set whose ground truth is kept by the DAVIS server, and a sequence too short to be scored."""
    if split.startswith("test") or len(truth.image_frames(name)) > count:
        return UserError(
            f"{truth.masks / name}: sequence {name} has {count} annotated frames: its ground truth is not here. The "
            "DAVIS server keeps that of test-dev and test-challenge: pack the predictions for it with `maskvos "
            "evaluate submit davis`. Otherwise restore the annotations."
        )
    return UserError(
        f"{truth.masks / name}: sequence {name} has {count} annotated frames; the protocol leaves out the first and "
        "the last and needs one between. Give the annotations of all frames, or leave the sequence out."
    )


def _warn_of_strangers(truth: GroundTruth, predictions: Path, names: Sequence[str]) -> None:
    """Folders and frames that the dataset lacks are likely misnamed, so they are said; they change no figure."""
    folders = sorted(path.name for path in predictions.iterdir() if path.is_dir()) if predictions.is_dir() else []
    strange = [name for name in folders if name not in truth.sequences() and not name.startswith(".")]
    if strange:
        log.warning("%s: no sequences of %s: %s; not looked at", predictions, truth.root, ", ".join(strange))
    for name in names:
        frames = set(GroundTruth(predictions, predictions).files(name))
        frames -= {*truth.files(name), *truth.image_frames(name)}
        if frames:
            log.warning("%s: no frames of this sequence: %s; ignored", predictions / name, ", ".join(sorted(frames)))
