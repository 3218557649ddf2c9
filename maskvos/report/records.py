"""What the stages left behind, read back: metrics, curves, manifests, the frame store's index, times."""

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from maskvos.errors import UserError
from maskvos.params.schema import Plan

ROWS = {
    "copy": "Copy of the first mask",
    "lab": "Raw Lab patches",
    "untrained": "Untrained encoder",
    "backbone": "DINO backbone",
    "correspondence": "Correspondence only",
    "full": "Full method",
}
"""Every row of the results table with the name that readers see, weakest idea first."""
_ORDER = list(ROWS)


@dataclass(frozen=True)
class Result:
    """The metrics of one row on one evaluation set; keys as in metrics.json, values are fractions."""

    set: str
    row: str
    protocol: str
    overall: dict[str, float]
    sequences: dict[str, dict[str, float]]
    objects: int
    groups: dict[str, dict[str, float]] = field(default_factory=dict)  # YouTube-VOS: means of "seen" and "unseen"

    @property
    def scored(self) -> bool:
        """False where the set came without ground truth."""
        return bool(self.overall)

    @property
    def name(self) -> str:
        """The row's name for readers."""
        return ROWS[self.row]


def read_results(artifacts: Path, plan: Plan) -> dict[str, list[Result]]:
    """Every planned ``evaluation/SET/ROW/metrics.json`` that exists: sets in the plan's order, rows in that of `ROWS`.

    What else the folder holds is left alone: no tool deletes the results of an experiment with more sets or rows.

    Raises:
        UserError: a file is not the JSON that the stage ``evaluate`` writes.
    """
    results: dict[str, list[Result]] = {}
    names, rows = list(plan.sets), [*plan.baselines.values(), *plan.models.values()]
    for planned in sorted(rows, key=lambda row: (names.index(row.set), _ORDER.index(row.row))):
        path = artifacts / "evaluation" / planned.set / planned.row / "metrics.json"
        if not path.is_file():
            continue
        content = read_json(path)
        try:
            overall, sequences = dict(content["global"]), dict(content["sequences"])
            protocol, objects = str(content["protocol"]), len(content["objects"])
            groups = dict(content.get("groups", {}))
        except (KeyError, TypeError) as error:
            raise UserError(f"{path}: not metrics of the stage evaluate ({error!r}); run that stage again.") from error
        result = Result(planned.set, planned.row, protocol, overall, sequences, objects, groups)
        results.setdefault(result.set, []).append(result)
    return results


def read_curves(path: Path) -> dict[str, np.ndarray]:
    """The columns of a curve file as float arrays of one length (an empty cell is nan); empty where there is no file.

    Raises:
        UserError: a cell is not a number or a line has too few cells.
    """
    if not path.is_file():
        return {}
    with path.open(newline="") as file:
        header, *lines = list(csv.reader(file)) or [[]]
    try:
        values = np.array([[float(cell or "nan") for cell in line] for line in lines], float)
        return dict(zip(header, values.reshape(len(lines), len(header)).T, strict=True))
    except ValueError as error:
        raise UserError(f"{path}: not a table of numbers ({error}); run the stage that writes it again.") from error


def read_json(path: Path) -> Any:
    """Parsed JSON.

    Raises:
        UserError: the file cannot be parsed.
    """
    try:
        return json.loads(path.read_bytes())
    except (ValueError, OSError) as error:
        raise UserError(f"{path}: not readable as JSON ({error}); run the stage that writes it again.") from error


def round_folders(artifacts: Path, plan: Plan) -> list[Path]:
    """The folders ``rounds/0``, ``rounds/1``, ... of the plan that exist, in numeric order."""
    folders = [artifacts / "rounds" / name for name in sorted(plan.rounds, key=int)]
    return [folder for folder in folders if folder.is_dir()]
