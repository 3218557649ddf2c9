"""An unfinished run of ``maskvos segment``: a folder beside the output that the same command goes on from.

``OUTPUT.partial`` holds ``masks/`` (which becomes OUTPUT), ``run.json`` (what the masks depend on), ``state`` (the
tracker's, now and then) and a lock. Anything that is killed leaves it; only success removes it.
"""

import fcntl
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from maskvos.console import log
from maskvos.errors import UserError
from maskvos.storage.atomic import atomic_file, replace_folder

Identity = Mapping[str, str]
"""What the masks depend on: a name that a user understands -> its value or a checksum of it."""


@dataclass(frozen=True)
class PartialRun:
    """``masks`` and ``state`` are paths in ``folder``; ``output`` is where the masks belong."""

    folder: Path
    output: Path

    @property
    def masks(self) -> Path:
        """The folder that becomes the output."""
        return self.folder / "masks"

    @property
    def state(self) -> Path:
        """The tracker's state; absent until it has been kept once."""
        return self.folder / "state"

    def publish(self) -> None:
        """Let the masks take the output's place.

        Raises:
            UserError: the folder cannot be written.
        """
        replace_folder(self.masks, self.output, each_file=False)
        shutil.rmtree(self.folder)


def partial_folder(output: Path) -> Path:
    """Where the unfinished run of an output lies."""
    named = output if output.name not in ("", "..") else output.resolve()
    return named.with_name(f"{named.name}.partial")


@contextmanager
def partial_run(output: Path, identity: Identity) -> Iterator[PartialRun]:
    """The unfinished run of ``output`` if it depends on the same things, else a new one; says which and why.

    On an exception it stays if a state has been kept, and is removed otherwise.

    Raises:
        UserError: the folder is somebody else's, in use by another process, or cannot be written.
    """
    run = PartialRun(partial_folder(output), output)
    check_place(run.folder)
    try:
        run.folder.mkdir(parents=True, exist_ok=True)
        lock = (run.folder / "lock").open("w")
    except OSError as error:
        raise UserError(
            f"cannot write {run.folder}: {error.strerror}. Correct --output or the permissions of its folder."
        ) from None
    with lock:
        _lock(lock, run)
        _compare(run, identity)
        try:
            yield run
        except BaseException:
            if not run.state.exists():
                shutil.rmtree(run.folder, ignore_errors=True)
            else:
                log.info("%s keeps what is done; the same command goes on from there", run.folder)
            raise


def check_place(folder: Path) -> None:
    """Make sure that a folder is free or an unfinished run.

    Raises:
        UserError: something else stands there.
    """
    if folder.is_dir() and ((folder / "lock").exists() or not any(folder.iterdir())):
        return
    if folder.exists() or folder.is_symlink():
        raise UserError(
            f"{folder}: is needed for the unfinished run and holds something else. Move it, or name another --output."
        )


def _lock(lock: IO[str], run: PartialRun) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UserError(f"--output {run.output}: another process is working on it. Wait, or name another.") from None
    except OSError:  # a file system without locks
        log.warning("%s: this file system has no locks; run no second process with this output", run.folder)


def _compare(run: PartialRun, identity: Identity) -> None:
    record = run.folder / "run.json"
    try:
        before: dict[str, str] | None = json.loads(record.read_text())
    except (OSError, ValueError):
        before = None
    if before is not None and before != dict(identity):
        changed = [name for name in {**before, **identity} if before.get(name) != identity.get(name)]
        log.info("%s: an unfinished run with another %s; starting afresh", run.folder, ", ".join(changed))
    if before != dict(identity) or not run.masks.is_dir():  # without masks: killed right after they were published
        record.unlink(missing_ok=True)  # first: what a kill leaves must not pass for the old run
        clear(run)
        with atomic_file(record) as partial:
            partial.write_text(json.dumps(dict(identity), indent=1) + "\n")


def clear(run: PartialRun) -> None:
    """Forget what was done; the lock and what the masks depend on stay."""
    run.state.unlink(missing_ok=True)
    shutil.rmtree(run.masks, ignore_errors=True)
    run.masks.mkdir()
