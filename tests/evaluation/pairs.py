"""Two runs on one set whose differences are known."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from maskvos.evaluation.frames import FrameScores
from maskvos.evaluation.result import Result
from maskvos.evaluation.runs import Run


def make_runs(shifts: list[float], noise: float = 0.0) -> tuple[Run, Run]:
    """A sequence a shift, with 1, 2, 3, 1, ... objects; J of the second run is higher by the shift, F by half of it."""
    random = np.random.default_rng(0)
    first, second = {}, {}
    for place, shift in enumerate(shifts):
        for identity in range(1, 2 + place % 3):
            key = (f"s{place:02d}", identity)
            J, F = random.uniform(0.3, 0.6, (2, 8))
            more = shift + noise * random.normal()
            first[key] = FrameScores(tuple(f"{frame:05d}" for frame in range(1, 9)), J, F)
            second[key] = replace(first[key], J=J + more, F=F + more / 2)
    return as_run(first, "A"), as_run(second, "B")


def as_run(frames: dict[tuple[str, int], FrameScores], name: str) -> Run:
    result = Result.of_frames("test protocol", frames, set="val")
    return Run(Path(name), result.protocol, result.set, result.scores, frames)
