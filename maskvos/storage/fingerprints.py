"""What a file is told by, whatever its name, place and time."""

import hashlib
from pathlib import Path


def file_fingerprint(path: Path | str) -> str:
    """sha256 of a file's bytes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
