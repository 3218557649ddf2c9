"""The working state of a training stage: atomic, the last two kept, tied to its parameters and inputs."""

import contextlib
import errno
import pickle
import zipfile
import zlib
from pathlib import Path
from typing import Any

import torch

from maskvos.console import log
from maskvos.errors import UserError, first_line
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

        Raises:
            UserError: one is sound and cannot be loaded; it stays.
        """
        remove_abandoned(self.folder)
        self._others = []
        for path in reversed(self._files()):
            state = _load(path) if _is_whole(path) else None
            if state is None:
                log.warning("%s is damaged; falling back to the checkpoint before it", path)
                path.unlink(missing_ok=True)
                continue
            if state["belongs_to"] == self.belongs_to:
                log.info("going on from %s", path)
                return state
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
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.EINVAL):  # the same run elsewhere was quicker; a place before the start
            return False
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError):
        return False


def _load(path: Path) -> dict[str, Any] | None:
    """What a whole file holds; None where it is damaged after all, in the archive's own list."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        return {"belongs_to": "", **state}
    except (RuntimeError, pickle.UnpicklingError, ValueError, LookupError, TypeError, AttributeError) as error:
        reason = first_line(error)
        if reason.startswith("PytorchStreamReader"):
            return None
        raise UserError(
            f"{path}: not damaged, but cannot be loaded ({reason}). Free memory, or use the version of torch that "
            "wrote it; remove it to go on without."
        ) from error
