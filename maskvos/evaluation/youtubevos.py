"""Local scores in the YouTube-VOS layout: each object from its own first frame on, that frame not scored.

The public valid and test splits give first frames only, and their servers score submissions; this scores what has
ground truth here. J, F and their statistics are those of DAVIS; the server's seen and unseen means appear as groups
where the data says which categories training has seen.
"""

from collections.abc import Sequence
from pathlib import Path

from maskvos.console import log
from maskvos.datasets.images import by_number
from maskvos.datasets.sequence import object_ids
from maskvos.datasets.youtubevos import Meta, read_meta
from maskvos.errors import UserError
from maskvos.evaluation.faults import HINT, Faults
from maskvos.evaluation.ground_truth import GroundTruth, find_youtubevos
from maskvos.evaluation.prediction import Expected, check_folder
from maskvos.evaluation.result import Result
from maskvos.evaluation.scoring import Progress, Task, score_tasks
from maskvos.storage.masks import read_mask

PROTOCOL = "YouTube-VOS local"
ANY_ID = frozenset(range(256))


def evaluate_youtubevos(
    root: Path | str,
    predictions: Path | str,
    processes: int = 1,
    progress: Progress | None = None,
    sequences: Sequence[str] | None = None,
    *,
    lenient: bool = False,
) -> Result:
    """J and F of ``predictions/SEQUENCE/FRAME.png`` against the ground truth of a split's folder.

    Ground truth is ``ROOT/ground_truth``, ``ROOT_ground_truth`` beside it, or ``ROOT`` itself, whichever first has
    ``Annotations``; or ``ROOT`` is a plain folder of SEQUENCE/FRAME.png. Scored are, after an object's first frame, the
    frames that ``meta.json`` lists for the object; without one, those that have ground truth.

    The server's code is not public. ``lenient`` passes over, and lists in the result, what need not change a figure:
    sequences and frames that the dataset lacks, ids that the sequence lacks, whatever is wrong with a frame that is not
    scored, frames that ``meta.json`` lists without ground truth, and sequences with nothing to score.

    Raises:
        UserError: ground truth or predictions are incomplete or do not fit each other; see `check_folder` and
            `score_tasks`.
    """
    root = Path(root)
    truth = find_youtubevos(root)
    meta = read_meta(root) or ({} if truth.is_plain else read_meta(truth.masks.parent))
    names = list(sequences) if sequences is not None else sorted(meta) or truth.sequences()
    tasks = [_plan(truth, name, meta) for name in names]
    if not any(task.truth for task in tasks):
        raise UserError(
            f"{truth.masks}: ground truth of first frames only, nothing to score. Put full annotations into "
            f"{root}/ground_truth/Annotations, or pack the predictions for the YouTube-VOS server with `maskvos "
            "evaluate submit youtubevos`."
        )
    faults = Faults(lenient, HINT)
    for task in tasks:
        if not task.truth:
            _add_empty(truth, task, faults)
        else:
            _add_missing(truth, task, meta, faults)
    expected = [Expected(task.sequence, list(task.truth), _known_frames(truth, task.sequence, meta)) for task in tasks]
    check_folder(Path(predictions), expected, {*truth.known_sequences(), *meta}, faults)
    frames = score_tasks(tasks, Path(predictions), faults, processes, progress)
    groups = _group(list(frames), root, meta)
    if not groups and not truth.is_plain:
        log.warning(
            "%s: which categories training has seen is not known; there is no overall figure, only the mean over "
            "objects. %s would tell.",
            root,
            root.resolve().parent / "train" / "meta.json",
        )
    result = Result.of_frames(PROTOCOL, frames, groups, set=root.resolve().name)
    return result.with_faults(faults)


def _add_empty(truth: GroundTruth, task: Task, faults: Faults) -> None:
    frames = list(task.unscored)
    faults.add(
        task.sequence,
        frames,
        f"{truth.masks / task.sequence}: nothing to score in sequence {task.sequence}: no frame after the first one of "
        f"an object has ground truth (frame {frames[-1]} is the last). Restore its annotations or leave it out.",
    )


def _add_missing(truth: GroundTruth, task: Task, meta: Meta, faults: Faults) -> None:
    """A mean over a part of what the protocol lists is not its figure, so ground truth that is not there is said."""
    listed = {frame for entry in meta.get(task.sequence, {}).values() for frame in entry["frames"][1:]}
    missing = sorted(listed - set(task.truth), key=by_number)
    if missing:
        faults.add(
            task.sequence,
            missing,
            f"{truth.masks / task.sequence}: no ground truth of frame {missing[0]} of sequence {task.sequence}, which "
            f"meta.json lists ({len(missing)} of {len(listed)} frames are missing). Restore the annotations.",
        )


def _known_frames(truth: GroundTruth, sequence: str, meta: Meta) -> set[str]:
    listed = (frame for entry in meta.get(sequence, {}).values() for frame in entry["frames"])
    return truth.known_frames(sequence).union(listed)


def _plan(truth: GroundTruth, name: str, meta: Meta) -> Task:
    files = truth.files(name)
    if not files:
        raise UserError(f"{truth.masks / name}: no ground truth of sequence {name}. Restore it.")
    if name in meta:
        listed = {identity: entry["frames"] for identity, entry in sorted(meta[name].items())}
    else:
        listed = _list_objects(files)
    objects = {identity: [frame for frame in frames[1:] if frame in files] for identity, frames in listed.items()}
    scored = sorted({frame for frames in objects.values() for frame in frames}, key=by_number)
    scored_files = {frame: files[frame] for frame in scored}
    unscored = {frame: path for frame, path in files.items() if frame not in scored_files}
    return Task(name, scored_files, objects, frozenset(listed), unscored, tolerated=ANY_ID)


def _list_objects(files: dict[str, Path]) -> dict[int, list[str]]:
    """Object -> frames from its first annotated one on, for ground truth without a ``meta.json``."""
    frames = list(files)
    first: dict[int, int] = {}
    for index, frame in enumerate(frames):
        for identity in object_ids(read_mask(files[frame])):
            first.setdefault(identity, index)
    return {identity: frames[index:] for identity, index in sorted(first.items())}


def _group(keys: list[tuple[str, int]], root: Path, meta: Meta) -> dict[str, list[tuple[str, int]]]:
    """Objects by whether training has seen their category.

    ``meta.json`` may say so itself (``"seen": true`` beside an object's category); otherwise a category is seen if the
    ``meta.json`` of the train split, beside this one, has it. Where neither tells it of every object, no groups.
    """
    train = read_meta(root.resolve().parent / "train")
    categories = {entry.get("category") for video in train.values() for entry in video.values()} - {None}
    groups: dict[str, list[tuple[str, int]]] = {}
    for sequence, identity in keys:
        entry = meta.get(sequence, {}).get(identity, {})
        seen = entry.get("seen", entry["category"] in categories if categories and "category" in entry else None)
        if seen is None:
            return {}
        groups.setdefault("seen" if seen else "unseen", []).append((sequence, identity))
    return dict(sorted(groups.items()))
