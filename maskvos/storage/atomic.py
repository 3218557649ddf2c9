"""Outputs that appear whole or not at all: write beside the target, flush to disk, rename."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
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


def _explain(error: OSError, target: Path, begun: bool) -> Exception:
    if begun and error.errno not in _WRITING:
        return error  # the caller's own trouble inside the block, not the writing
    return UserError(
        f"cannot write {target}: {error.strerror or error}. Nothing was changed there. "
        "Free space, or correct the name or the permissions of that folder, then run the same command again."
    )


@contextmanager
def atomic_file(target: Path | str) -> Iterator[Path]:
    """Yield a path beside ``target`` to write to; on success it takes ``target``'s place, on failure it is removed.

    Raises:
        UserError: the disk is full or the folder cannot be written.
    """
    target = Path(target)
    partial: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.tmp-", suffix=target.suffix, dir=target.parent)
        os.close(descriptor)
        partial = Path(name)
        yield partial
        partial.chmod(0o644)
        _sync(partial)
        partial.replace(target)
        _sync(target.parent)
    except OSError as error:
        raise _explain(error, target, partial is not None) from None
    finally:
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
    partial: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{target.name}.tmp-", dir=target.parent))
        yield partial
        partial.chmod(0o755)
        if each_file:
            for path in partial.rglob("*"):
                if path.is_file():
                    _sync(path)
        else:
            os.sync()
        if target.is_symlink() or target.is_file():
            target.unlink()
        elif target.exists():
            shutil.rmtree(target)
        partial.replace(target)
        _sync(target.parent)
    except OSError as error:
        raise _explain(error, target, partial is not None) from None
    finally:
        if partial is not None:
            shutil.rmtree(partial, ignore_errors=True)
