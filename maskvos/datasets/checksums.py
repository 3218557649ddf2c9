"""SHA-256 of archives: compared with the published one, or with the one recorded when it was first unpacked."""

import hashlib
import json
from pathlib import Path

from maskvos.console import log
from maskvos.errors import UserError
from maskvos.storage.atomic import atomic_file


def verify(archive: Path, record: Path, published: str | None) -> str:
    """Check an archive and return its SHA-256 (hexadecimal).

    Args:
        archive: the file.
        record: small JSON that `remember` wrote, absent before.
        published: the checksum that its owner states, None where there is none.

    Raises:
        UserError: the archive differs; says the found and the expected checksum.
    """
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    expected, origin = (published, "published") if published else (_recorded(record), f"recorded in {record}")
    if expected is not None and found != expected:
        remedy = "delete it and fetch it again"
        if not published:
            remedy += f", or delete {record} if you replaced the archive on purpose"
        raise UserError(f"{archive}: sha256 is {found}, expected {expected} ({origin}). The archive differs; {remedy}.")
    return found


def remember(archive: Path, record: Path, checksum: str) -> None:
    """Record the checksum of an archive that has proven sound, unless there is a record.

    Raises:
        UserError: the disk is full or the folder cannot be written.
    """
    if record.is_file():
        return
    with atomic_file(record) as partial:
        partial.write_text(json.dumps({"archive": archive.name, "sha256": checksum}, indent=1) + "\n")
    log.info("%s: no checksum is published; recorded sha256 %s", archive.name, checksum)


def _recorded(record: Path) -> str | None:
    try:
        return str(json.loads(record.read_text())["sha256"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{record}: not a checksum record. Delete it; the checksum is then recorded anew.") from None
