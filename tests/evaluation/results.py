"""A small result whose figures are easily told apart."""

import numpy as np

from maskvos.evaluation.frames import FrameScores
from maskvos.evaluation.result import Result

FRAMES = ("00001", "00002", "00003", "00004")
LEVELS = {("cat_a", 1): (0.6, 0.8), ("cat_a", 10): (0.2, 0.3), ("cat_a", 2): (0.4, 0.6), ("b&w", 1): (0.9, 0.7)}
"""(sequence, id) -> J and F, the same on every frame."""


def make_result(groups: dict[str, list[tuple[str, int]]] | None = None) -> Result:
    frames = {key: FrameScores(FRAMES, np.full(4, J), np.full(4, F)) for key, (J, F) in LEVELS.items()}
    return Result.of_frames("test protocol", frames, groups, set="val")


GROUPS = {"seen": [("cat_a", 1), ("cat_a", 10)], "unseen": [("cat_a", 2), ("b&w", 1)]}
