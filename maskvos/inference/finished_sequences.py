"""Sequences whose masks an interrupted evaluation has written: kept, and put back where nothing has changed."""

import hashlib
from pathlib import Path

from maskvos.datasets.images import ImageFiles
from maskvos.datasets.sequence import Sequence
from maskvos.inference.propagate import given_masks
from maskvos.storage.fingerprints import file_fingerprint
from maskvos.storage.finished import Finished


def restore_sequence(sequence: Sequence, folder: Path, finished: Finished) -> bool:
    """Whether FOLDER/SEQUENCE holds the masks of every frame now, as an earlier run wrote them.

    Raises:
        UserError: a given mask is damaged or absent.
        OSError: the folder cannot be written.
    """
    files = finished.restore(_item(sequence)) if finished.folder is not None else None
    if files is None or set(files) != {f"{frame}.png" for frame in sequence.frames}:
        return False
    (folder / sequence.name).mkdir(parents=True)
    for name, content in files.items():
        (folder / sequence.name / name).write_bytes(content)
    return True


def keep_sequence(sequence: Sequence, folder: Path, finished: Finished) -> None:
    """Keep the masks in FOLDER/SEQUENCE.

    Raises:
        UserError: the disk is full or the folder of what is finished cannot be written.
    """
    if finished.folder is None:  # nothing is to be read for
        return
    names = [f"{frame}.png" for frame in sequence.frames]
    finished.keep(_item(sequence), {name: (folder / sequence.name / name).read_bytes() for name in names})


def _item(sequence: Sequence) -> str:
    """The name of a sequence and what tells its frames and given masks: a corrected one makes it another sequence."""
    state = hashlib.sha256()
    if isinstance(sequence.source, ImageFiles):
        for path in (sequence.source.files[frame] for frame in sequence.frames):
            state.update(file_fingerprint(path).encode() if path.is_file() else b"absent")
    for frame, mask in sorted(given_masks(sequence).items()):
        state.update(repr((frame, mask.shape)).encode() + mask.tobytes())
    return f"{sequence.name}-{state.hexdigest()[:16]}"
