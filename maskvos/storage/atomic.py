"""Outputs that appear whole or not at all: write beside the target, flush to disk, rename.

A process that is killed leaves what it had half-written. Whoever writes there next removes it: a lock, which ends with
its process, tells what is abandoned from what another one is writing.
"""

import contextlib
import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from maskvos.errors import UserError


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


_WRITING = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EFBIG, errno.EIO}
_WRITING |= {errno.ENOTDIR, errno.EISDIR, errno.EEXIST}  # a file where a folder is needed, or the other way round
_WRITING |= {errno.ENOTEMPTY}
_ATTEMPTS = 100  # of making a file in a folder that others empty and remove


def _explain(error: OSError, target: Path, begun: bool) -> Exception:
    if begun and error.errno not in _WRITING:
        return error  # the caller's own trouble inside the block, not the writing
    return UserError(
        f"cannot write {target}: {error.strerror or error}. Nothing was changed there. "
        "Free space, or correct the name or the permissions of that folder, then run the same command again."
    )


def _lock(path: Path) -> int:
    """A descriptor that holds a lock on a file or folder; -1 where another process holds it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return -1
    except OSError:
        pass  # a file system without locks: nothing is ever taken for abandoned there
    return descriptor


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


_BEFORE = "-before"  # of the folder whose place is being taken
_tidied: set[Path] = set()  # folders that this process has looked through: a listing for each of many files is dear


def remove_abandoned(folder: Path) -> None:
    """Remove what killed processes left half-written in a folder; what was about to be replaced goes back."""
    _tidied.add(folder)
    for path in folder.glob(".*.tmp-*"):
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                target = folder / path.name[1:].rpartition(".tmp-")[0]
                if path.name.endswith(_BEFORE) and path.is_dir() and not target.exists():
                    path.replace(target)
                _remove(path)
            finally:
                os.close(descriptor)


def _prepare(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if folder not in _tidied:
        remove_abandoned(folder)


def _new_file(target: Path) -> Path:
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.tmp-", suffix=target.suffix, dir=target.parent)
    os.close(descriptor)
    return Path(name)


def _begin(folder: Path, make: Callable[[], Path]) -> tuple[Path, int]:
    """A new file or folder and its lock; another where somebody took it for abandoned, or the folder with it, before
    it was locked."""
    for _ in range(_ATTEMPTS):
        with contextlib.suppress(FileNotFoundError):
            folder.mkdir(parents=True, exist_ok=True)
            path = make()
            lock = _lock(path)
            if lock >= 0:
                return path, lock
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))


@contextmanager
def atomic_file(target: Path | str) -> Iterator[Path]:
    """Yield a path beside ``target`` to write to; on success it takes ``target``'s place, on failure it is removed.

    Raises:
        UserError: the disk is full or the folder cannot be written.
    """
    target = Path(target)
    partial, lock = None, -1
    try:
        _prepare(target.parent)
        partial, lock = _begin(target.parent, lambda: _new_file(target))
        yield partial
        partial.chmod(0o644)
        _sync(partial)
        partial.replace(target)
        with contextlib.suppress(FileNotFoundError):  # somebody has removed the file since, and its folder
            _sync(target.parent)
    except OSError as error:
        raise _explain(error, target, partial is not None) from None
    finally:
        _close(lock)
        if partial is not None:
            partial.unlink(missing_ok=True)


@contextmanager
def atomic_folder(target: Path | str, each_file: bool = True) -> Iterator[Path]:
    """Yield an empty folder beside ``target``; on success it replaces ``target`` (whatever stood there is removed).

    Args:
        target: the folder to make.
        each_file: flush file by file; without it the whole system once, which a folder of 100,000 frames needs.

    Raises:
        UserError: the disk is full or the folder cannot be written.
    """
    target = Path(target)
    partial, lock = None, -1
    try:
        _prepare(target.parent)
        prefix = f".{target.name}.tmp-"
        partial, lock = _begin(target.parent, lambda: Path(tempfile.mkdtemp(prefix=prefix, dir=target.parent)))
        yield partial
        replace_folder(partial, target, each_file)
    except OSError as error:
        raise _explain(error, target, partial is not None) from None
    finally:
        _close(lock)
        if partial is not None:
            shutil.rmtree(partial, ignore_errors=True)


def replace_folder(partial: Path, target: Path, each_file: bool = True) -> None:
    """Give ``target``'s place to a finished folder beside it; whatever stood there is removed.

    Args:
        each_file: as `atomic_folder` has it.

    Raises:
        UserError: the disk is full or the folder cannot be written.
    """
    try:
        partial.chmod(0o755)
        if each_file:
            for path in partial.rglob("*"):
                if path.is_file():
                    _sync(path)
        else:
            os.sync()
        _exchange(partial, target)
    except OSError as error:
        raise _explain(error, target, begun=True) from None


def _exchange(partial: Path, target: Path) -> None:
    """Put a folder in the place of whatever stands there, which goes only afterwards: renaming takes no time."""
    if target.is_symlink() or target.is_file():
        target.unlink()
    before, lock = partial.with_name(f"{partial.name}{_BEFORE}"), -1
    if target.exists():
        shutil.rmtree(before, ignore_errors=True)  # of a run that was killed once the new folder stood there
        lock = _lock(target)  # for as long as it bears a name by which it might be taken for abandoned
        target.replace(before)
    try:
        partial.replace(target)
    except OSError:
        if before.exists():
            before.replace(target)
        raise
    finally:
        _close(lock)
    _sync(target.parent)
    shutil.rmtree(before, ignore_errors=True)


def _close(descriptor: int) -> None:
    if descriptor >= 0:
        os.close(descriptor)
