"""From an archive to a dataset's root: unpacked once, recognised afterwards."""

import json
from pathlib import Path

from maskvos.console import log
from maskvos.datasets.checksums import remember, verify
from maskvos.datasets.extract import extract
from maskvos.datasets.images import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from maskvos.errors import UserError
from maskvos.storage.atomic import atomic_file, atomic_folder

MARK = "extracted.json"


def unpack(archive: Path, folder: Path, record: Path, published: str | None = None) -> None:
    """Unpack into ``folder`` unless that was done before from the same archive.

    Same name, size and time are taken for the same archive; where only the time differs, its checksum decides.

    Args:
        archive: zip or tar.
        folder: made as a whole or not at all; `MARK` in it says what it was made from.
        record: where the archive's checksum is kept.
        published: its checksum, where its owner states one.

    Raises:
        UserError: wrong checksum, damaged or dangerous archive, full disk; ``folder`` holds something of another's.
    """
    status = archive.stat()
    mark: dict[str, str | int] = {"archive": archive.name, "bytes": status.st_size, "mtime_ns": status.st_mtime_ns}
    check_own(folder)
    made_from = _read_mark(folder) or {}
    if mark.items() <= made_from.items():
        return
    mark["sha256"] = verify(archive, record, published)
    if {**made_from, "mtime_ns": status.st_mtime_ns} == mark:
        with atomic_file(folder / MARK) as partial_mark:
            partial_mark.write_text(json.dumps(mark, indent=1) + "\n")
        return
    log.info("%s: unpacking into %s", archive.name, folder)
    with atomic_folder(folder, each_file=False) as partial:
        extract(archive, partial)
        if published is None:  # not earlier: a good copy must be able to follow a damaged one
            remember(archive, record, str(mark["sha256"]))
        (partial / MARK).write_text(json.dumps(mark, indent=1) + "\n")


def check_own(folder: Path) -> None:
    """Make sure that unpacking into ``folder`` replaces nothing but what was unpacked there before.

    Raises:
        UserError: it holds something and not the mark of `unpack`, or is a file.
    """
    within = folder.iterdir() if folder.is_dir() else [folder] * (folder.is_file() or folder.is_symlink())
    if _read_mark(folder) is None and any(path.name != ".DS_Store" for path in within):
        raise UserError(
            f"{folder}: was not unpacked by maskvos and would be replaced. Name it in the dataset's parameter 'path' "
            "to use it as it is, or move it away."
        )


def is_unpacked(folder: Path) -> bool:
    """Whether `unpack` finished there; the archive itself may have been deleted since."""
    return _read_mark(folder) is not None


def find_root(folder: Path, layout: str) -> Path:
    """The dataset's root in an unpacked folder: archives wrap it in a folder of their own (DAVIS/, train/, valid/).

    Where nothing fits, the folder itself: checking its layout then says what is missing.
    """
    root = folder
    while root.is_dir() and not _is_root(root, layout):
        inner = [path for path in root.iterdir() if path.is_dir() and not path.name.startswith((".", "__MACOSX"))]
        if len(inner) != 1:
            return folder
        root = inner[0]
    return root


def _is_root(folder: Path, layout: str) -> bool:
    if layout != "clips":
        return (folder / "JPEGImages").is_dir()
    candidates = [*folder.iterdir(), *folder.glob("*/*")]
    return any(
        path.suffix.lower() in (VIDEO_SUFFIXES if path.parent == folder else IMAGE_SUFFIXES) for path in candidates
    )


def _read_mark(folder: Path) -> dict[str, str | int] | None:
    try:
        mark = json.loads((folder / MARK).read_text())
    except (OSError, ValueError):
        return None
    return mark if isinstance(mark, dict) and {"archive", "bytes"} <= set(mark) else None
