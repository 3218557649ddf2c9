"""SHA-256 of archives: compared with the published one, or recorded at first use and compared from then on."""

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
        record: small JSON that keeps the checksum of the first use; written where nothing is published.
        published: the checksum that its owner states, None where there is none.

    Raises:
        UserError: the archive differs; says the found and the expected checksum.
    """
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    expected, origin = (published, "published") if published else (_recorded(record), f"recorded in {record}")
    if expected is None:
        with atomic_file(record) as partial:
            partial.write_text(json.dumps({"archive": archive.name, "sha256": found}, indent=1) + "\n")
        log.info("%s: no checksum is published; recorded sha256 %s", archive.name, found)
    elif found != expected:
        remedy = "delete it and fetch it again"
        if not published:
            remedy += f", or delete {record} if you replaced the archive on purpose"
        raise UserError(f"{archive}: sha256 is {found}, expected {expected} ({origin}). The archive differs; {remedy}.")
    return found


def _recorded(record: Path) -> str | None:
    try:
        return str(json.loads(record.read_text())["sha256"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{record}: not a checksum record. Delete it; the checksum is then recorded anew.") from None
