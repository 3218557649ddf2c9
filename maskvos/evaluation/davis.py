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
from maskvos.evaluation.faults import HINT, Faults
from maskvos.evaluation.ground_truth import GroundTruth, find_davis
from maskvos.evaluation.prediction import Expected, check_folder
from maskvos.evaluation.result import Result
from maskvos.evaluation.scoring import Progress, Task, score_tasks
from maskvos.storage.masks import read_mask

PROTOCOLS = {2017: "DAVIS-2017 semi-supervised", 2016: "DAVIS-2016 single object"}


def evaluate_davis(
    root: Path | str,
    predictions: Path | str,
    split: str | None = None,
    processes: int = 1,
    progress: Progress | None = None,
    sequences: Sequence[str] | None = None,
    *,
    year: int = 2017,
    lenient: bool = False,
) -> Result:
    """J and F of ``predictions/SEQUENCE/FRAME.png`` against a dataset in the DAVIS layout.

    Predictions need not hold the first and the last frame, which many trackers do not write; where they do, size and
    ids are checked. The images of the dataset are not needed.

    Args:
        root: the folder with Annotations/480p; or a plain folder of SEQUENCE/FRAME.png, scored whole.
        predictions: folder of SEQUENCE/FRAME.png.
        split: which list of ImageSets; ``val`` unless given. A plain folder has none.
        processes: at a time; 0: as many as pay.
        progress: called after each frame.
        sequences: a part of the split, by name.
        year: of the protocol, 2016 or 2017.
        lenient: pass over what the official evaluator (davis2017-evaluation at ac7c43f) passes over, and list it in the
            result: sequences and frames that the dataset lacks; whatever is wrong with the first and the last
            prediction; ids in a gap of the first annotation's ids, which it scores. A first annotation without an
            object gives no figure. Where it stops, this stops: a missing or damaged frame, another size, colours, an
            id above the highest. Left out although it stops there: sequences of one or two frames. It reads 16-bit
            PNG and stretches masks of one row or column; here both stay errors.

    Raises:
        UserError: ground truth or predictions are incomplete or do not fit each other; see `check_folder` and
            `score_tasks`.
    """
    truth = find_davis(Path(root))
    split = _choose_split(truth, split)
    names = list(sequences) if sequences is not None else _list_sequences(truth, split, year)
    faults = Faults(lenient, HINT)
    plans = [_plan(truth, name, year, split, faults) for name in names]
    tasks = [task for task in plans if task is not None]
    if not any(task.objects for task in tasks):
        raise UserError(f"{truth.masks}: nothing to score, no sequence has an object and three frames.")
    _compare_names(truth, tasks, Path(predictions), faults)
    frames = score_tasks(tasks, Path(predictions), faults, processes, progress)
    return Result.of_frames(PROTOCOLS[year], frames, set=split).with_faults(faults)


def _choose_split(truth: GroundTruth, split: str | None) -> str:
    if not truth.is_plain:
        return split or "val"
    if split:
        raise UserError(f"{truth.root}: --set {split} needs ROOT/ImageSets; a plain folder of masks is scored whole.")
    return truth.root.resolve().name


def _list_sequences(truth: GroundTruth, split: str, year: int) -> list[str]:
    return truth.sequences() if truth.is_plain else read_split(truth.root, split, year)


def _plan(truth: GroundTruth, name: str, year: int, split: str, faults: Faults) -> Task | None:
    """What to score of one sequence; None where it is too short, if that is forgiven."""
    files = truth.files(name)
    frames = list(files)
    if len(frames) < 3:
        _check_length(truth, name, frames, split, faults)
        return None
    scored = frames[1:-1]
    scored_files, unscored = ({frame: files[frame] for frame in part} for part in (scored, (frames[0], frames[-1])))
    if year == 2016:
        return Task(name, scored_files, {1: scored}, frozenset({1}), unscored, merged=True)
    first = object_ids(read_mask(files[frames[0]]))
    if not first:
        faults.add(
            name,
            frames[:1],
            f"{files[frames[0]]}: no object in the first annotation of sequence {name}, frame {frames[0]}. Ids are 1 "
            "to 254.",
        )
    # The official evaluator counts ids from 1 to the highest one, whether or not the first frame has them all.
    objects = range(1, max(first, default=0) + 1)
    if len(first) < len(objects):
        log.warning(
            "%s: ids %s of sequence %s are not in its first annotation; they are scored as the official evaluator does",
            truth.root,
            sorted(set(objects) - set(first)),
            name,
        )
    members = dict.fromkeys(objects, scored)
    return Task(name, scored_files, members, frozenset(first), unscored, tolerated=frozenset(objects))


def _check_length(truth: GroundTruth, name: str, frames: list[str], split: str, faults: Faults) -> None:
    """Two cases: a set whose ground truth is kept by the DAVIS server, and a sequence too short to be scored."""
    count = len(frames)
    if not count and not truth.image_frames(name):
        raise UserError(f"{truth.masks / name}: no such sequence in the ground truth. Correct its name or restore it.")
    if split.startswith("test") or len(truth.image_frames(name)) > count or not count:
        raise UserError(
            f"{truth.masks / name}: sequence {name} has {count} annotated frames: its ground truth is not here. The "
            "DAVIS server keeps that of test-dev and test-challenge: pack the predictions for it with `maskvos "
            "evaluate submit davis`. Otherwise restore the annotations."
        )
    faults.add(
        name,
        frames,
        f"{truth.masks / name}: sequence {name} has {count} annotated frames, up to frame {frames[-1]}; the protocol "
        "leaves out the first and the last and needs one between. Give the annotations of all frames, or leave the "
        "sequence out.",
    )


def _compare_names(truth: GroundTruth, tasks: Sequence[Task], predictions: Path, faults: Faults) -> None:
    expected = [Expected(task.sequence, list(task.truth), truth.known_frames(task.sequence)) for task in tasks]
    check_folder(predictions, expected, truth.known_sequences(), faults)
