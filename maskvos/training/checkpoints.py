"""The working state of a training stage: atomic, the last two kept, tied to its parameters and inputs."""

import contextlib
import pickle
import zipfile
import zlib
from pathlib import Path
from typing import Any

import torch

from maskvos.console import log
from maskvos.storage.atomic import atomic_file, remove_abandoned
from maskvos.storage.working_state import common_folder, folder_name

CHANGES_NOTHING = {"checkpoint_every"}
"""Settings of a stage that do not tell its runs apart: who saves more often after an interruption goes on."""


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
        self._others: list[Path] = []  # of another run, to be removed once this one has something to keep

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("step-*.pt"))

    def last_step(self) -> int | None:
        """Steps that the newest file has behind it, None where there is none."""
        own = (path for path in self._files() if path not in self._others)
        return max((int(path.stem.removeprefix("step-")) for path in own), default=None)

    def save(self, step: int, state: dict[str, Any]) -> None:
        """Write atomically, then remove all but the last two, and what another run has left."""
        target = self.folder / f"step-{step:08d}.pt"
        with atomic_file(target) as partial, partial.open("wb") as file:
            try:
                torch.save({"belongs_to": self.belongs_to, "step": step, **state}, file)
            except RuntimeError as error:  # torch's words for a full disk; the file's own error lies behind them
                raise error.__context__ if isinstance(error.__context__, OSError) else error from None
        others, self._others = set(self._others) - {target}, []
        for old in [*others, *[path for path in self._files() if path not in others][:-2]]:
            old.unlink(missing_ok=True)  # the same run elsewhere may have been quicker

    def latest(self) -> dict[str, Any] | None:
        """The newest sound checkpoint of this very run; says why where it starts afresh or falls back.

        A damaged one is removed, or it would count as one of the last two. Those of another run stay until this one
        saves: who has changed a parameter by mistake can change it back.
        """
        remove_abandoned(self.folder)
        self._others = []
        for path in reversed(self._files()):
            if not _is_whole(path):
                log.warning("%s is damaged; falling back to the checkpoint before it", path)
                path.unlink(missing_ok=True)
                continue
            try:
                state = torch.load(path, map_location="cpu", weights_only=True)
                own = state["belongs_to"] == self.belongs_to
            except (RuntimeError, pickle.UnpicklingError, ValueError, LookupError, TypeError, AttributeError) as error:
                log.warning("%s is no checkpoint (%s); falling back to the one before it", path, type(error).__name__)
                own = False
            if own:
                log.info("going on from %s", path)
                return dict(state)
            self._others.append(path)
        if self._others:
            log.info("%s: checkpoints of other parameters or inputs; starting afresh", self.folder)
        return None

    def clear(self) -> None:
        """Remove them: the stage's outputs are there, or they belong to another run."""
        for path in self._files():
            path.unlink(missing_ok=True)
        if self._common:
            with contextlib.suppress(OSError):
                self.folder.rmdir()


def _is_whole(path: Path) -> bool:
    """Whether all that the file holds has its checksum: torch writes them and does not read them."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (FileNotFoundError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError):
        return False  # not found: the same run elsewhere, or another process of this one, was quicker
