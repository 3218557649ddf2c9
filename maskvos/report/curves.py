"""Curves for the report: which panels there are, rounds joined into one line, long series thinned."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from maskvos.params.schema import Plan
from maskvos.report.records import read_curves, read_json, round_folders

POINTS = 300  # a panel is about 300 pixels wide


@dataclass(frozen=True)
class Panel:
    """One small plot: ``x`` and ``y`` (N,) float; dotted lines at ``boundaries`` (the starts of later rounds)."""

    title: str
    x: np.ndarray
    y: np.ndarray
    boundaries: tuple[float, ...] = ()
    axis: str = "step"
    points: bool = False


@dataclass(frozen=True)
class CurveGroup:
    """The panels of one stage; none where nothing was recorded."""

    title: str
    panels: list[Panel]


def curve_groups(artifacts: Path, plan: Plan) -> list[CurveGroup]:
    """Backbone, correspondence, segmentation over the plan's rounds, and the clustering's statistics by round."""
    rounds = round_folders(artifacts, plan)
    segmentation, starts = join_rounds([read_curves(folder / "curves.csv") for folder in rounds])
    return [
        CurveGroup("Backbone (DINO)", training_panels(read_curves(artifacts / "backbone/curves.csv"))),
        CurveGroup("Correspondence", training_panels(read_curves(artifacts / "correspondence/curves.csv"))),
        CurveGroup("Segmentation, all rounds", training_panels(segmentation, starts)),
        CurveGroup("Clustering, by round", clustering_panels(rounds)),
    ]


def training_panels(curves: dict[str, np.ndarray], boundaries: tuple[float, ...] = ()) -> list[Panel]:
    """The loss, its parts and the learning rate, each over the step; columns without any finite value are left out."""
    if not curves or not len(curves.get("step", ())):
        return []
    names = [name for name in curves if name not in ("step", "epoch", "learning_rate")]
    names = sorted(names, key=lambda name: name != "loss") + ["learning_rate"] * ("learning_rate" in curves)
    return [
        Panel(name.replace("_", " "), *thin(curves["step"], curves[name]), boundaries)
        for name in names
        if np.isfinite(curves[name]).any()
    ]


def join_rounds(rounds: list[dict[str, np.ndarray]]) -> tuple[dict[str, np.ndarray], tuple[float, ...]]:
    """Rounds after one another on one step axis, and the steps where the second and later ones start.

    A round that counts its steps from the beginning again is moved behind the one before; one that counts on is kept.
    A column that a round lacks is nan there.
    """
    recorded = [curves for curves in rounds if len(curves.get("step", ()))]
    if not recorded:
        return {}, ()
    names = list(dict.fromkeys(name for curves in recorded for name in curves))
    joined: dict[str, list[np.ndarray]] = {name: [] for name in names}
    boundaries, last = [], 0.0
    for number, curves in enumerate(recorded):
        steps = curves["step"]
        offset = last if number and steps[0] <= last else 0.0
        if number:
            boundaries.append(last)
        for name in names:
            joined[name].append(curves.get(name, np.full(len(steps), np.nan)) + (offset if name == "step" else 0.0))
        last = float(steps[-1] + offset)
    return {name: np.concatenate(parts) for name, parts in joined.items()}, tuple(boundaries)


def thin(x: np.ndarray, y: np.ndarray, points: int = POINTS) -> tuple[np.ndarray, np.ndarray]:
    """At most ``points`` values: means over neighbours, so that a spike moves the line but cannot vanish."""
    finite = np.isfinite(y)
    x, y = x[finite], y[finite]
    if len(x) <= points:
        return x, y
    groups = np.array_split(np.arange(len(x)), points)
    return np.array([x[group].mean() for group in groups]), np.array([y[group].mean() for group in groups])


_SUMMARY = {
    "kept_mean": "clusters kept a clip",
    "oversized_share_mean": "share dropped as oversized",
    "largest_share_mean": "share of the largest cluster",
    "clips_with_nothing_left": "clips with nothing left",
    "clips_with_one_cluster": "clips with one cluster",
    "best_overlap_mean": "best-overlap IoU, measured only",
}


def clustering_panels(rounds: list[Path]) -> list[Panel]:
    """Means over the clips for each round, and the sorted sizes of the last round's clusters."""
    paths = [folder / "clustering.json" for folder in rounds]
    recorded = {int(path.parent.name): read_json(path) for path in paths if path.is_file()}
    if not recorded:
        return []
    numbers = np.array(list(recorded), float)
    panels = [
        Panel(title, numbers, _column(list(recorded.values()), key), axis="round", points=True)
        for key, title in _SUMMARY.items()
    ]
    agreement = [_mean_agreement(content) for content in recorded.values()]
    panels.append(Panel("agreement with the round before", numbers, np.array(agreement), axis="round", points=True))
    shares = sorted(share for clip in recorded[max(recorded)].get("clips", {}).values() for share in clip["shares"])
    if shares:
        place = np.arange(1, len(shares) + 1) / len(shares)
        panels.append(
            Panel("cluster sizes, last round", *thin(place, np.array(shares)[::-1]), axis="rank of the cluster")
        )
    return [panel for panel in panels if np.isfinite(panel.y).any()]


def _column(contents: list[dict[str, Any]], key: str) -> np.ndarray:
    return np.array([content.get("summary", {}).get(key, np.nan) for content in contents], float)


def _mean_agreement(content: dict[str, Any]) -> float:
    """Mean adjusted Rand index over the clips, nan in the first round."""
    values = [clip["agreement"] for clip in content.get("clips", {}).values() if "agreement" in clip]
    return float(np.mean(values)) if values else float("nan")
