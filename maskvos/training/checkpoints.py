"""The working state of a training stage: atomic, the last two kept, tied to its parameters and inputs."""

import contextlib
import hashlib
import json
import os
import pickle
from pathlib import Path
from typing import Any

import torch

from maskvos.console import log
from maskvos.errors import UserError
from maskvos.storage.atomic import atomic_file, remove_abandoned

COMMON = "MASKVOS_CHECKPOINTS"
"""Environment variable: a folder for the checkpoints of all runs, each in a folder of its own. `dvc queue` runs an
experiment in a copy of the repository that is gone when the experiment is killed, and with it what lies inside."""


def fingerprint(**parts: Any) -> str:
    """sha256 of everything a run depends on: parameters as plain data, fingerprints of inputs."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


class Checkpoints:
    """Checkpoints ``step-00000000.pt`` in a folder that no orchestrator deletes.

    Args:
        folder: outside the stage's declared outputs; where `COMMON` is set, one below that instead.
        belongs_to: `fingerprint` of parameters and inputs; a checkpoint of another run is never continued.
    """

    def __init__(self, folder: Path | str, belongs_to: str) -> None:
        common = os.environ.get(COMMON)
        if common and not Path(common).is_absolute():
            raise UserError(f"{COMMON} is {common!r}: name an absolute path; the copy it lies in may vanish.")
        self.folder = Path(common) / belongs_to[:16] if common else Path(folder)
        self._common = bool(common)
        self.belongs_to = belongs_to

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("step-*.pt"))

    def last_step(self) -> int | None:
        """Steps that the newest file has behind it, None where there is none."""
        return max((int(path.stem.removeprefix("step-")) for path in self._files()), default=None)

    def save(self, step: int, state: dict[str, Any]) -> None:
        """Write atomically, then remove all but the last two."""
        with atomic_file(self.folder / f"step-{step:08d}.pt") as partial, partial.open("wb") as file:
            try:
                torch.save({"belongs_to": self.belongs_to, "step": step, **state}, file)
            except RuntimeError as error:  # torch's words for a full disk; the file's own error lies behind them
                raise error.__context__ if isinstance(error.__context__, OSError) else error from None
        for old in self._files()[:-2]:
            old.unlink(missing_ok=True)  # the same run elsewhere may have been quicker

    def latest(self) -> dict[str, Any] | None:
        """The newest readable checkpoint of this very run; says why where it starts afresh or falls back."""
        remove_abandoned(self.folder)
        for path in reversed(self._files()):
            try:
                state = torch.load(path, map_location="cpu", weights_only=True)
            except (RuntimeError, EOFError, OSError, pickle.UnpicklingError, ValueError, KeyError) as error:
                log.warning("%s is damaged (%s); falling back to the checkpoint before it", path, type(error).__name__)
                continue
            if state.get("belongs_to") != self.belongs_to:
                log.info("%s belongs to other parameters or inputs; starting afresh", path)
                self.clear()
                return None
            log.info("going on from %s", path)
            return dict(state)
        return None

    def clear(self) -> None:
        """Remove them: the stage's outputs are there, or they belong to another run."""
        for path in self._files():
            path.unlink(missing_ok=True)
        if self._common:
            with contextlib.suppress(OSError):
                self.folder.rmdir()
