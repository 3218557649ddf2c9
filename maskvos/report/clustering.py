"""The clustering's statistics, a line for each round: what was found, what was dropped, what changed, what it met."""

from pathlib import Path
from typing import Any

from maskvos.params.schema import Plan
from maskvos.report.records import read_json, round_folders
from maskvos.tables.table import ABSENT, Cell, Line, Table, percent

_COLUMNS = {
    "clips": "Clips",
    "kept_mean": "Clusters kept a clip",
    "largest_share_mean": "Largest cluster, %",
    "oversized_share_mean": "Dropped as oversized, %",
    "clips_with_nothing_left": "Clips with nothing left",
    "iterations_mean": "Iterations",
    "agreement_mean": "Agreement with the round before, %",
    "best_overlap_mean": "Best-overlap IoU, %",
    "annotated_objects": "Annotated objects",
}


def clustering_table(artifacts: Path, plan: Plan) -> Table | None:
    """The summaries of ``clustering.json`` of the plan's rounds; None where there is none.

    Columns that no round has are left out; a dash stands where one round lacks what another has.
    """
    paths = [folder / "clustering.json" for folder in round_folders(artifacts, plan)]
    rounds = {path.parent.name: read_json(path)["summary"] for path in paths if path.is_file()}
    columns = {key: title for key, title in _COLUMNS.items() if any(key in summary for summary in rounds.values())}
    lines = [
        Line(f"Round {name}", [Cell(_text(key, summary.get(key))) for key in columns])
        for name, summary in rounds.items()
    ]
    return Table(["Round", *columns.values()], lines) if lines else None


def _text(key: str, value: Any) -> str:
    if value is None:
        return ABSENT
    if _COLUMNS[key].endswith("%"):
        return percent(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.1f}"
