"""The DAVIS-2017 semi-supervised protocol: every object of the first frame, first and last frames left out."""

from collections.abc import Sequence
from pathlib import Path

from maskvos.console import log
from maskvos.datasets.davis import RESOLUTION, annotation_files, read_split
from maskvos.datasets.images import IMAGE_SUFFIXES, list_files
from maskvos.datasets.sequence import object_ids
from maskvos.errors import UserError
from maskvos.evaluation.result import Result
from maskvos.evaluation.scoring import Progress, Task, score_tasks
from maskvos.storage.masks import read_mask

PROTOCOL = "DAVIS-2017 semi-supervised"


def evaluate_davis(
    root: Path | str,
    predictions: Path | str,
    split: str = "val",
    threads: int = 1,
    progress: Progress | None = None,
    sequences: Sequence[str] | None = None,
) -> Result:
    """J and F of ``predictions/SEQUENCE/FRAME.png`` against a dataset in the DAVIS layout.

    Predictions need not hold the first and the last frame; where they do, size and ids are checked. Folders and frames
    that the dataset lacks are warned of. The images of the dataset are not needed. ``sequences`` names a part of the
    split.

    Raises:
        UserError: ground truth or predictions are incomplete or do not fit each other; see `score_tasks`.
    """
    root = Path(root)
    names = list(sequences) if sequences is not None else read_split(root, split)
    tasks = [_plan(root, name) for name in names]
    _warn_of_strangers(root, Path(predictions), names)
    return Result(PROTOCOL, score_tasks(tasks, Path(predictions), threads, progress), set=split)


def _plan(root: Path, name: str) -> Task:
    files = annotation_files(root, name)
    frames = list(files)
    if len(frames) < 3:
        raise UserError(
            f"{root}: sequence {name} has {len(frames)} annotated frames; the protocol leaves out the first and "
            "the last and needs one between. Give the annotations of all frames (test-dev has none: submit there)."
        )
    first = object_ids(read_mask(files[frames[0]]))
    if not first:
        raise UserError(f"{files[frames[0]]}: no object in the first annotation of sequence {name}. Ids are 1 to 254.")
    scored = frames[1:-1]
    # The official evaluator counts ids from 1 to the highest one, whether or not the first frame has them all.
    objects = range(1, first[-1] + 1)
    if len(first) < first[-1]:
        log.warning(
            "%s: ids %s of sequence %s are not in its first annotation; they are scored as the official evaluator does",
            root,
            sorted(set(objects) - set(first)),
            name,
        )
    truth, unscored = ({frame: files[frame] for frame in part} for part in (scored, (frames[0], frames[-1])))
    return Task(name, truth, dict.fromkeys(objects, scored), frozenset(first), unscored)


def _warn_of_strangers(root: Path, predictions: Path, names: Sequence[str]) -> None:
    """Folders and frames that the dataset lacks are likely misnamed, so they are said; they change no figure."""
    known = root / "Annotations" / RESOLUTION
    folders = sorted(path.name for path in predictions.iterdir() if path.is_dir()) if predictions.is_dir() else []
    strange = [name for name in folders if not (known / name).is_dir() and not name.startswith(".")]
    if strange:
        log.warning("%s: no sequences of %s: %s; not looked at", predictions, root, ", ".join(strange))
    for name in names:
        frames = set(list_files(predictions / name, (".png",)))
        frames -= {*annotation_files(root, name), *list_files(root / "JPEGImages" / RESOLUTION / name, IMAGE_SUFFIXES)}
        if frames:
            log.warning("%s: no frames of this sequence: %s; ignored", predictions / name, ", ".join(sorted(frames)))
