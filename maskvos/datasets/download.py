"""Downloads that survive a cut connection: HTTP Range into NAME.part, renamed once it is whole.

Beside the part lies what the server said of the file. A part is continued only while the server still says the same;
otherwise two versions would be glued together.
"""

import json
import re
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import requests

from maskvos.console import log
from maskvos.datasets.progress import transfer
from maskvos.errors import UserError
from maskvos.storage.atomic import atomic_file

CHUNK = 1 << 16  # bytes; what a cut connection loses at most
TIMEOUT = 30  # seconds without a byte
RETRIED = {408, 425, 429, 500, 502, 503, 504}


@dataclass(frozen=True)
class _Version:
    """How a server tells one version of a file from another."""

    etag: str = ""
    modified: str = ""

    @classmethod
    def of(cls, response: requests.Response) -> "_Version":
        return cls(response.headers.get("ETag", ""), response.headers.get("Last-Modified", ""))

    @classmethod
    def read(cls, path: Path) -> "_Version":
        try:
            return cls(**json.loads(path.read_text()))
        except (OSError, ValueError, TypeError):
            return cls()


def download(address: str, target: Path, attempts: int = 8, pause: float = 1.0) -> None:
    """Fetch ``address`` into ``target``; a part that an earlier call left is continued.

    Args:
        address: http or https.
        target: file to make; its folder is made too.
        attempts: tries in a row without a new byte before giving up.
        pause: seconds before the first retry; each further one waits twice as long, at most a minute.

    Raises:
        UserError: the server refuses, cannot be reached, or the disk is full. The part is kept.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    failures = 0
    while True:
        before = _size(part)
        try:
            _transfer(address, part)
            break
        except requests.RequestException as error:
            failures = failures + 1 if _size(part) <= before else 1
            if failures >= attempts:
                raise UserError(
                    f"{address}: {_reason(error)}, {attempts} times in a row. {_size(part)} bytes are kept in {part}; "
                    f"run the same command again to go on, or put the file there by hand: {target}"
                ) from None
            wait = min(60.0, pause * 2 ** (failures - 1))
            log.info("%s: %s; trying again from byte %d in %.0f s", target.name, _reason(error), _size(part), wait)
            time.sleep(wait)
    part.replace(target)
    _version_file(part).unlink(missing_ok=True)


def _transfer(address: str, part: Path) -> None:
    """One connection. Returns when the part is whole; raises RequestException when it is worth another try."""
    start, known = _size(part), _Version.read(_version_file(part))
    headers = {"Accept-Encoding": "identity"}  # a compressed transfer could not be continued by position
    if start:
        headers["Range"] = f"bytes={start}-"
    with requests.get(address, headers=headers, stream=True, timeout=TIMEOUT) as response:
        if response.status_code == 416 and _total(response) == start and _Version.of(response) in (known, _Version()):
            return  # cut between the last byte and the renaming
        if response.status_code == 416 or (response.status_code == 206 and not _continues(response, start, known)):
            log.info("%s: the file on the server changed; starting again", part.name)
            part.unlink(missing_ok=True)
            raise requests.ConnectionError("the part belonged to another version of the file")
        _refuse(response, address)
        if response.status_code == 200 and start:
            log.info("%s: the server sends the whole file; starting again", part.name)
            start = 0
        total = _total(response)
        _check_space(part, address, total, start)
        with atomic_file(_version_file(part)) as partial:
            partial.write_text(json.dumps(asdict(_Version.of(response))))
        with transfer(part.stem, total, start) as advance, part.open("ab" if start else "wb") as file:
            for chunk in response.iter_content(CHUNK):
                _write(file, chunk, part)
                advance(len(chunk))
    if total is not None and _size(part) < total:
        raise requests.ConnectionError(f"the connection ended at byte {_size(part)} of {total}")


def _continues(response: requests.Response, start: int, known: _Version) -> bool:
    position = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return position is not None and int(position[1]) == start and _Version.of(response) == known


def _total(response: requests.Response) -> int | None:
    """Length of the whole file as the response states it."""
    whole = re.search(r"/(\d+)$", response.headers.get("Content-Range", ""))
    if whole:
        return int(whole[1])
    length = response.headers.get("Content-Length")
    return int(length) if length and response.status_code == 200 else None


def _refuse(response: requests.Response, address: str) -> None:
    if response.status_code in RETRIED:
        raise requests.ConnectionError(f"the server answered {response.status_code} {response.reason}")
    if response.status_code not in (200, 206):
        raise UserError(
            f"{address}: the server answered {response.status_code} {response.reason}. The address may have moved: "
            "fetch the file by hand and name it in the dataset's parameter 'path'."
        )


def _check_space(part: Path, address: str, total: int | None, start: int) -> None:
    free, needed = shutil.disk_usage(part.parent).free, (total or 0) - start
    if needed > free:
        raise UserError(
            f"{part.parent}: {needed / 1e9:.1f} GB are needed for {address}, {free / 1e9:.1f} GB are free. "
            "Free space or set data.folder to a larger disk, then run the same command again."
        )


def _write(file: BinaryIO, chunk: bytes, part: Path) -> None:
    try:
        file.write(chunk)
    except OSError as error:
        raise UserError(
            f"cannot write {part}: {error.strerror or error}. What has arrived is kept; free space, then run the same "
            "command again to go on."
        ) from None


def _reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection was cut"
    if isinstance(error, requests.Timeout):
        return f"no answer for {TIMEOUT} seconds"
    return str(error) or type(error).__name__


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _version_file(part: Path) -> Path:
    return part.with_name(part.name + ".json")
