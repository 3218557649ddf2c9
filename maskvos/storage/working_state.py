"""Where a stage keeps what an interrupted run has behind it, and how it knows its own."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from maskvos.errors import UserError

COMMON = "MASKVOS_CHECKPOINTS"
"""Environment variable: a folder for the checkpoints of all runs, each in a folder of its own. `dvc queue` runs an
experiment in a copy of the repository that is gone when the experiment is killed, and with it what lies inside."""


def fingerprint(**parts: Any) -> str:
    """sha256 of everything a run depends on: parameters as plain data, fingerprints of inputs."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def folder_name(belongs_to: str) -> str:
    """What the folder of a run with this `fingerprint` is called, where several share one."""
    return belongs_to[:16]


def common_folder() -> Path | None:
    """The folder that `COMMON` names, None where it names none.

    Raises:
        UserError: its path is relative.
    """
    common = os.environ.get(COMMON)
    if not common:
        return None
    if not Path(common).is_absolute():
        raise UserError(f"{COMMON} is {common!r}: name an absolute path; the copy it lies in may vanish.")
    return Path(common)
