"""The results of a finished run, read back from its metrics.json, and frames.csv where that was written."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from maskvos.errors import UserError
from maskvos.evaluation.frames import FrameScores, read_frames
from maskvos.evaluation.statistics import FIGURES, Scores

_ROUNDING = 2e-8  # frames.csv has eight decimals


@dataclass(frozen=True)
class Run:
    """Figures of every object by (sequence, id), in the file's order.

    ``frames`` is empty without a frames.csv, ``forgiven`` counts the faults that a lenient evaluation passed over,
    ``scored_frames`` on how many frames an object was scored (files of before that was written lack it).
    """

    path: Path
    protocol: str
    set: str
    scores: Mapping[tuple[str, int], Scores]
    frames: Mapping[tuple[str, int], FrameScores] = field(default_factory=dict)
    forgiven: int = 0
    scored_frames: Mapping[tuple[str, int], int] = field(default_factory=dict)


def read_run(path: Path) -> Run:
    """From a metrics.json or the folder that holds it, with the ``frames.csv`` (``NAME_frames.csv``) beside it.

    Raises:
        UserError: there is no such file, it is no metrics.json, it holds no scores, or frames.csv is of another run.
    """
    file = path / "metrics.json" if path.is_dir() else path
    try:
        content = json.loads(file.read_bytes())
        scores = {_key(name): _figures(figures) for name, figures in content["objects"].items()}
        protocol, chosen = str(content["protocol"]), str(content["set"])
        forgiven = len(content.get("forgiven", ()))
        counts = {_key(name): int(count) for name, count in content.get("scored_frames", {}).items()}
    except FileNotFoundError:
        raise UserError(f"{file}: no such file. Name a metrics.json of `maskvos evaluate`, or its folder.") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{file}: not a metrics.json of `maskvos evaluate` ({type(error).__name__}: {error}). Write it again."
        ) from None
    if not scores:
        raise UserError(f'{file}: holds no scored object, protocol "{protocol}". Evaluate where there is ground truth.')
    beside = frames_beside(file)
    frames = read_frames(beside) if beside.is_file() else {}
    if frames:
        _check_frames(frames, scores, beside, file)
    return Run(file, protocol, chosen, scores, frames, forgiven, counts)


def frames_beside(metrics: Path) -> Path:
    """Where the frames.csv of a metrics.json is looked for."""
    return metrics.with_name("frames.csv" if metrics.stem == "metrics" else f"{metrics.stem}_frames.csv")


def _key(name: str) -> tuple[str, int]:
    sequence, identity = name.rsplit("_", 1)
    return sequence, int(identity)


def _figures(figures: Mapping[str, float]) -> Scores:
    return {figure: float(figures[figure]) for figure in FIGURES}


def _check_frames(
    frames: Mapping[tuple[str, int], FrameScores], scores: Mapping[tuple[str, int], Scores], beside: Path, file: Path
) -> None:
    """A table that an earlier run left there must not be taken for this one's."""
    same = frames.keys() == scores.keys() and all(
        abs(values.figures[figure] - scores[key][figure]) < _ROUNDING
        for key, values in frames.items()
        for figure in ("J_mean", "F_mean")
    )
    if not same:
        raise UserError(
            f"{beside}: its means are not those of {file}, it is of another run. Remove it or write it again."
        )
