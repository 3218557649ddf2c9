"""The data section: what each dataset holds and which frames had to be left out."""

from dataclasses import dataclass
from pathlib import Path

from maskvos.params.schema import Plan
from maskvos.report.records import read_json
from maskvos.tables.table import Cell, Line, Table


@dataclass(frozen=True)
class DataSummary:
    """``datasets`` is None where no manifest exists; ``store`` and ``left_out`` describe the frame store."""

    datasets: Table | None
    store: str
    left_out: list[str]


def summarise_data(artifacts: Path, plan: Plan) -> DataSummary:
    """From ``frames/index.json`` and ``data/NAME.json`` of the training set and the plan's evaluation sets."""
    paths = [artifacts / "data" / f"{name}.json" for name in ("train", *plan.sets)]
    manifests = [read_json(path) for path in paths if path.is_file()]
    lines = [
        Line(manifest["name"], [Cell(text) for text in _facts(manifest)])  # the root stays out: pages are passed on
        for manifest in manifests
    ]
    table = Table(["Dataset", "Layout", "Split", "Sequences", "Frames", "Licence"], lines) if lines else None
    index = artifacts / "frames/index.json"
    if not index.is_file():
        return DataSummary(table, "No frame store was recorded.", [])
    content = read_json(index)
    clips = content["clips"]
    frames = sum(len(clip["frames"]) for clip in clips)
    sizes = sorted({(clip["width"], clip["height"]) for clip in clips})
    extent = " to ".join(f"{width}x{height}" for width, height in dict.fromkeys((sizes[0], sizes[-1]))) if sizes else ""
    store = f"The frame store holds {frames:,} frames of {len(clips):,} clips, {extent} pixels."
    left_out = [f"{entry['clip']}/{entry['frame']}: {entry['reason']}" for entry in content.get("left_out", [])]
    left_out += [f"clip {entry['clip']}: {entry['reason']}" for entry in content.get("clips_left_out", [])]
    return DataSummary(table, store, left_out)


def _facts(manifest: dict) -> list[str]:
    sequences = f"{len(manifest['sequences']):,}"
    licence = str(manifest.get("licence") or "not stated")
    return [manifest["layout"], str(manifest.get("split", "")), sequences, f"{manifest['frames']:,}", licence]
