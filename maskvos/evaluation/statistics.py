"""Mean, recall and decay of one object's values over its scored frames (DAVIS; utils.py of the official evaluator)."""

from collections.abc import Iterable

import numpy as np

Scores = dict[str, float]
"""Figures of one object, or the mean of several: `FIGURES`, and ``J&F_mean`` before them in summaries."""

FIGURES = ("J_mean", "J_recall", "J_decay", "F_mean", "F_recall", "F_decay")


def summarise(values: np.ndarray) -> tuple[float, float, float]:
    """(mean, recall, decay) of values (T,) in 0..1, T >= 1.

    Recall is the share of frames above 0.5. Decay is the mean of the first quarter less that of the last; quarters
    share their end frames. Bounds are rounded as the official code does (half up); it keeps them in 8 bits, so that
    they wrap round beyond 256 frames, and here they do not.
    """
    bounds = np.round(np.linspace(1, len(values), 5) + 1e-10).astype(int) - 1
    first, last = values[bounds[0] : bounds[1] + 1], values[bounds[3] : bounds[4] + 1]
    return float(values.mean()), float((values > 0.5).mean()), float(first.mean() - last.mean())


def score_object(similarities: np.ndarray, accuracies: np.ndarray) -> Scores:
    """The six figures of one object from its J and F (T,) on the scored frames."""
    return dict(zip(FIGURES, (*summarise(similarities), *summarise(accuracies)), strict=True))


def average(scores: Iterable[Scores]) -> Scores:
    """Mean of each figure over objects, with ``J&F_mean`` (mean of the two means) in front."""
    rows = list(scores)
    means = {figure: float(np.mean([row[figure] for row in rows])) for figure in FIGURES}
    return {"J&F_mean": (means["J_mean"] + means["F_mean"]) / 2, **means}
