"""Curves: one row each ``log_every`` steps, as `dvc plots` and the report read them."""

import csv
from pathlib import Path

from maskvos.storage.atomic import atomic_file

Row = dict[str, float]


def write_curves(path: Path | str, rows: list[Row]) -> None:
    """CSV with a header; fixed digits, so that the same run gives the same bytes.

    A cell is empty where a row lacks a column: rows of a checkpoint that an earlier version left.
    """
    names = list(dict.fromkeys(name for row in rows for name in row)) or ["step"]
    with atomic_file(path) as partial, partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=names, lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: f"{value:.7g}" for name, value in row.items()} for row in rows)
