"""What was run: the stages in order with their times and hardware, and the settings."""

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import yaml

from maskvos.params import Params
from maskvos.report.records import read_json

_RECORD = ("stage", "started", "seconds", "host", "processor", "cores", "accelerator", "revision")
_RATES = {"steps_per_second": "steps/s", "frames_per_second": "frames/s", "fps": "frames/s"}


@dataclass(frozen=True)
class StageRun:
    """One stage's last run; everything is empty where ``logs/NAME.json`` is absent."""

    name: str
    seconds: float | None = None
    started: str = ""
    hardware: str = "not recorded"
    rate: str = ""
    revision: str = ""
    facts: str = ""

    @property
    def time(self) -> str:
        """The duration for readers."""
        return duration(self.seconds)


def read_stage_runs(params: Params, logs: Path) -> list[StageRun]:
    """Every stage that the plan holds, in the pipeline's order, up to the report itself (which is still running)."""
    names = ["fetch-train", *(f"fetch-{name}" for name in params.plan.sets), "prepare"]
    names += ["pretrain_backbone", "pretrain_correspondence"]
    for number in sorted(params.plan.rounds, key=int):
        names += [f"recluster-{number}", f"segment-{number}"]
    rows = [*params.plan.baselines.values(), *params.plan.models.values()]
    order = list(params.evaluation.rows)
    rows.sort(key=lambda row: (list(params.plan.sets).index(row.set), order.index(row.row)))  # type: ignore[arg-type]
    return [_read(logs / f"{name}.json", name) for name in (*names, *(f"evaluate-{row.set}-{row.row}" for row in rows))]


def _read(path: Path, name: str) -> StageRun:
    if not path.is_file():
        return StageRun(name)
    record = read_json(path)
    accelerator = record.get("accelerator", "none")
    parts = [f"{record.get('processor', 'unknown processor')}, {record.get('cores', '?')} cores"]
    parts += [str(accelerator)] if accelerator != "none" else []
    rate = ", ".join(f"{record[key]:.3g} {unit}" for key, unit in _RATES.items() if key in record)
    known = (*_RECORD, *_RATES)
    facts = ", ".join(f"{key.replace('_', ' ')} {_plain(value)}" for key, value in record.items() if key not in known)
    return StageRun(
        name,
        record.get("seconds"),
        str(record.get("started", ""))[:16],
        " + ".join(parts),
        rate,
        str(record.get("revision", "")),
        facts,
    )


def _plain(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def duration(seconds: float | None) -> str:
    """Seconds in words: "12 s", "3 min 05 s", "2 h 07 min"."""
    if seconds is None:
        return "not recorded"
    if seconds < 59.5:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    whole = math.floor(seconds + 0.5)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def total_time(runs: list[StageRun]) -> str:
    """The sum over the recorded stages, and how many were not."""
    known = [run.seconds for run in runs if run.seconds is not None]
    missing = len(runs) - len(known)
    return duration(sum(known) if known else None) + (f" (+ {missing} not recorded)" if known and missing else "")


def hardware(runs: list[StageRun]) -> list[str]:
    """The machines that took part, each once, in the order of their first stage."""
    return list(dict.fromkeys(run.hardware for run in runs if run.seconds is not None)) or ["not recorded"]


def revisions(runs: list[StageRun]) -> str:
    """The commits that the recorded stages ran at; with the number of stages where they are not one and the same."""
    counts = Counter(run.revision or "commit not recorded" for run in runs if run.seconds is not None)
    if len(counts) == 1:
        return next(iter(counts))
    return "; ".join(f"{revision} ({count} of the stages)" for revision, count in counts.items()) or "not recorded"


def settings(params: Params) -> dict[str, str]:
    """Every section of the parameters as YAML, the plan left out because it follows from the rest."""
    content = params.model_dump(exclude={"plan"})
    top = {key: content.pop(key) for key in list(content) if not isinstance(content[key], dict)}
    sections = {"experiment": top, **content}
    return {name: yaml.safe_dump(_shorten(part), sort_keys=False).strip() for name, part in sections.items()}


def _shorten(value: Any) -> Any:
    """A page may be passed on or committed: of absolute paths only the last part is kept."""
    if isinstance(value, dict):
        return {key: _shorten(part) for key, part in value.items()}
    if isinstance(value, str) and value.startswith(("/", "~", "..")):
        return f".../{PurePath(value).name}"
    return value
