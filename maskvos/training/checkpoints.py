"""The working state of a training stage: atomic, the last two kept, tied to its parameters and inputs."""

import contextlib
import pickle
from pathlib import Path
from typing import Any

import torch

from maskvos.console import log
from maskvos.storage.atomic import atomic_file, remove_abandoned
from maskvos.storage.working_state import common_folder, folder_name


class Checkpoints:
    """Checkpoints ``step-00000000.pt`` in a folder that no orchestrator deletes.

    Args:
        folder: outside the stage's declared outputs; where `COMMON` is set, one below that instead.
        belongs_to: `fingerprint` of parameters and inputs; a checkpoint of another run is never continued.
    """

    def __init__(self, folder: Path | str, belongs_to: str) -> None:
        common = common_folder()
        self.folder = common / folder_name(belongs_to) if common else Path(folder)
        self._common = common is not None
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
