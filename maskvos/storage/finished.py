"""What a stage that works item by item has finished, kept until all of it is: an interrupted run goes on behind it."""

import contextlib
import hashlib
import io
import re
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

from maskvos.storage.atomic import atomic_file, remove_abandoned
from maskvos.storage.working_state import common_folder, folder_name

_SUFFIX = ".finished"  # a sha256, then a ZIP archive of the item's files


class Finished:
    """One file for each finished item, in a folder that no orchestrator deletes; it is there whole or not at all.

    The same run may be under way in two places at once: neither disturbs the other.

    Args:
        folder: outside the stage's declared outputs; where `COMMON` is set, that one instead; None keeps nothing.
        belongs_to: `fingerprint` of parameters and inputs; what another run has left is never used.

    Attributes:
        folder: where they lie.

    Raises:
        UserError: `COMMON` names a relative path.
    """

    def __init__(self, folder: Path | None, belongs_to: str) -> None:
        common = common_folder()
        self.folder = None if folder is None else (common or folder) / folder_name(belongs_to)
        # Of other runs; removed once this one has something to keep: a parameter changed by mistake is changed back.
        self._others = folder if common is None else None
        if self.folder is not None:
            remove_abandoned(self.folder)

    def restore(self, item: str) -> dict[str, bytes] | None:
        """The files of an item by name, as they were kept; None where it is not finished or its file is damaged."""
        if self.folder is None:
            return None
        try:
            content = (self.folder / f"{item}{_SUFFIX}").read_bytes()
        except OSError:
            return None
        digest, archive = content[:32], content[32:]
        if hashlib.sha256(archive).digest() != digest:
            return None
        with zipfile.ZipFile(io.BytesIO(archive)) as files:
            return {name: files.read(name) for name in files.namelist()}

    def keep(self, item: str, files: Mapping[str, bytes]) -> None:
        """Keep the files of a finished item.

        Raises:
            UserError: the disk is full or the folder cannot be written.
        """
        if self.folder is None:
            return
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as writer:
            for name, content in files.items():
                writer.writestr(name, content)
        with atomic_file(self.folder / f"{item}{_SUFFIX}") as partial:
            partial.write_bytes(hashlib.sha256(archive.getvalue()).digest() + archive.getvalue())
        self._remove_others()

    def clear(self) -> None:
        """Remove them, and those of other runs: the stage's outputs are there."""
        if self.folder is None:
            return
        self._remove_others()
        for path in self.folder.glob(f"[!.]*{_SUFFIX}"):  # not what the same run elsewhere is writing
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.folder.rmdir()

    def _remove_others(self) -> None:
        for path in self._others.glob("*") if self._others is not None and self.folder is not None else ():
            if path.is_dir() and path != self.folder and re.fullmatch("[0-9a-f]{16}", path.name):
                shutil.rmtree(path, ignore_errors=True)
        self._others = None
