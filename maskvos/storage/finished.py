"""What a stage that works item by item has finished, kept until all of it is: an interrupted run goes on behind it."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from maskvos.storage.atomic import atomic_folder, remove_abandoned
from maskvos.storage.working_state import common_folder, folder_name

Result = TypeVar("Result")


class Finished:
    """A folder of files for each finished item, below one that no orchestrator deletes.

    Args:
        folder: outside the stage's declared outputs; where `COMMON` is set, that one instead; None keeps nothing.
        belongs_to: `fingerprint` of parameters and inputs; what another run has left is never used.
    """

    def __init__(self, folder: Path | None, belongs_to: str) -> None:
        self._folder: Path | None = None
        if folder is None:
            return
        common = common_folder()
        self._folder = (common or folder) / folder_name(belongs_to)
        if common is None:
            _remove_others(folder, self._folder.name)
        remove_abandoned(self._folder)

    def restore(self, item: str, read: Callable[[Path], Result]) -> Result | None:
        """What ``read`` makes of the folder of a finished item; None where it is not finished."""
        if self._folder is None:
            return None
        try:
            return read(self._folder / item) if (self._folder / item).is_dir() else None
        except FileNotFoundError:  # the same run elsewhere was quicker, and has cleared its own
            return None

    def keep(self, item: str, write: Callable[[Path], object]) -> None:
        """Keep what ``write`` puts into a folder, whole or not at all.

        Raises:
            UserError: the disk is full or the folder cannot be written.
        """
        if self._folder is not None:
            with atomic_folder(self._folder / item) as partial:
                write(partial)

    def clear(self) -> None:
        """Remove all: the stage's outputs are there."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def copy_files(source: Path, target: Path) -> Path:
    """Copy a folder of files into a new one, which is removed again where that fails; returns it."""
    target.mkdir(parents=True, exist_ok=True)
    try:
        for path in sorted(source.iterdir()):  # not copytree, whose error does not say that the disk is full
            shutil.copyfile(path, target / path.name)
    except OSError:
        shutil.rmtree(target, ignore_errors=True)
        raise
    return target


def _remove_others(folder: Path, own: str) -> None:
    for path in folder.glob("*"):
        if path.is_dir() and path.name != own and re.fullmatch("[0-9a-f]{16}", path.name):
            shutil.rmtree(path, ignore_errors=True)
