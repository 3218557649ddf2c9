"""Archives unpacked without trust: nothing outside the folder, no links or devices, bounded size, all or nothing."""

import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Self

from maskvos.datasets.progress import transfer
from maskvos.errors import UserError

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")
CHUNK = 1 << 20


@dataclass(frozen=True)
class Limits:
    """The largest dataset that is believed: YouTube-VOS train at 30 fps has about half a million files in 60 GB."""

    members: int = 2_000_000
    size: int = 200 * 10**9  # bytes


@dataclass(frozen=True)
class _Member:
    """One regular file of an archive: its name, the size it claims, and a way to read it."""

    name: str
    size: int
    stream: IO[bytes]


class _Header(tarfile.TarInfo):
    """A tar header that must be sound; `tarfile` itself takes a damaged or missing one for the end of the archive."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):
                raise  # the block of zeros that ends an archive
            raise tarfile.ReadError(f"{error} where a file or the end of the archive should begin") from None


def is_archive(path: Path) -> bool:
    """Whether the name is one of an archive that `extract` opens."""
    return path.name.lower().endswith(ARCHIVES)


def extract(archive: Path, folder: Path, limits: Limits | None = None) -> None:
    """Unpack a zip or (compressed) tar archive into an empty folder; who calls removes the folder on failure.

    Only what a member really holds counts for the limits, not what it claims. Owners, permissions and times are not
    taken over; what macOS adds (``__MACOSX``, ``.DS_Store``, ``._*``) is left out.

    Raises:
        UserError: the archive is damaged, encrypted, too large, or holds a path, link or device that must not be.
    """
    limits = limits or Limits()
    count = written = 0
    try:
        with transfer(f"unpacking {archive.name}", _claimed_size(archive, folder, limits)) as advance:
            for member in _members(archive):
                target = folder / _safe_path(archive, member.name)
                if _is_clutter(target):
                    continue
                count += 1
                if count > limits.members:
                    raise UserError(f"{archive}: holds more than {limits.members} files; this is no dataset of ours.")
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("xb") as file:
                    while chunk := member.stream.read(CHUNK):
                        written += len(chunk)
                        if written > limits.size:
                            raise UserError(f"{archive}: unpacks to more than {limits.size} bytes; no dataset of ours.")
                        file.write(chunk)
                        advance(len(chunk))
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, UnicodeError) as error:
        raise _damaged(archive, error) from None
    except (FileExistsError, NotADirectoryError) as error:
        raise UserError(f"{archive}: holds '{error.filename}' twice; the archive is not what it should be.") from None
    except OSError as error:
        if error.errno is not None:
            raise  # of the disk or the system; damaged data is reported without a number by gzip and bz2
        raise _damaged(archive, error) from None
    except (NotImplementedError, RuntimeError) as error:  # what zipfile raises for odd methods and for encryption
        raise UserError(f"{archive}: cannot be unpacked ({error}). Unpack it by hand and name the folder.") from None


def _members(archive: Path) -> Iterator[_Member]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            for entry in opened.infolist():
                kind = stat.S_IFMT(entry.external_attr >> 16)
                if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                    _refuse(archive, entry.filename)
                if entry.is_dir():
                    _safe_path(archive, entry.filename)
                else:
                    with opened.open(entry) as stream:
                        yield _Member(entry.filename, entry.file_size, stream)
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive, "r:*", tarinfo=_Header) as packed:
            for item in packed:
                if item.isdir():
                    _safe_path(archive, item.name)
                    continue
                stream_or_none = packed.extractfile(item) if item.isreg() else None
                if stream_or_none is None:
                    _refuse(archive, item.name)
                else:
                    yield _Member(item.name, item.size, stream_or_none)
            _check_end(packed.fileobj.read)
    else:
        raise UserError(f"{archive}: neither a zip nor a tar archive, or a damaged one. Delete it and fetch it again.")


def _check_end(read: Callable[[int], bytes]) -> None:
    """Read on behind the first zero block to the very end, where gzip, bzip2 and xz compare their checksums.

    Raises:
        tarfile.ReadError: the second zero block is absent, or data follows, so that this was a hole and not the end.
    """
    length = 0
    while chunk := read(CHUNK):
        length += len(chunk)
        if chunk.strip(b"\0"):
            raise tarfile.ReadError("data after the end of the archive")
    if length < tarfile.BLOCKSIZE:
        raise tarfile.ReadError("the end of the archive is cut off")


def _damaged(archive: Path, error: Exception) -> UserError:
    return UserError(f"{archive}: the archive is damaged ({error}). Delete it and fetch it again.")


def _safe_path(archive: Path, name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or ":" in name or not path.parts:
        raise UserError(f"{archive}: holds the path {name!r}, which would leave the folder. Nothing was unpacked.")
    return path


def _refuse(archive: Path, name: str) -> None:
    raise UserError(f"{archive}: '{name}' is a link or a device, which no dataset needs. Nothing was unpacked.")


def _is_clutter(path: Path) -> bool:
    return "__MACOSX" in path.parts or path.name == ".DS_Store" or path.name.startswith("._")


def _claimed_size(archive: Path, folder: Path, limits: Limits) -> int | None:
    """What a zip says it unpacks to (a tar would have to be read for that); checked against the limit and the disk."""
    if not zipfile.is_zipfile(archive):
        return None
    with zipfile.ZipFile(archive) as opened:
        claimed = sum(entry.file_size for entry in opened.infolist())
    free = shutil.disk_usage(folder).free
    if claimed > limits.size:
        raise UserError(f"{archive}: says it unpacks to {claimed} bytes, more than {limits.size}; no dataset of ours.")
    if claimed > free:
        raise UserError(
            f"{folder.parent}: {claimed / 1e9:.1f} GB are needed to unpack {archive}, {free / 1e9:.1f} GB are free. "
            "Free space or set data.folder to a larger disk."
        )
    return claimed
