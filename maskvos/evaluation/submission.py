"""Archives for the servers that keep the ground truth: checked strictly first, then packed to the same bytes each time.

What the DAVIS server wants is known from its published script (davis2017-evaluation, ``evaluation_codalab.py``): the
folders of the sequences at the archive's top, an indexed PNG for every frame, ids as in the first frame. What the
YouTube-VOS server wants is not published as code; ``Annotations/SEQUENCE/FRAME.png`` for the frames that ``meta.json``
lists is what the public trackers' submissions look like, written here from memory and not tried on the server.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from PIL import Image

from maskvos.datasets.images import ImageFiles, by_number
from maskvos.datasets.layout import check_layout
from maskvos.datasets.readers import open_layout
from maskvos.datasets.sequence import Sequence
from maskvos.errors import UserError
from maskvos.evaluation.faults import Faults
from maskvos.evaluation.prediction import Expected, check_folder, other_ids, read_prediction, unknown_ids
from maskvos.storage.atomic import atomic_file

FOLDERS = {"davis": "", "youtubevos": "Annotations/"}
EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first date that ZIP knows: no clock in the archive


@dataclass(frozen=True)
class Entry:
    """One file of the archive: where it comes from and what it must fit."""

    name: str
    sequence: str
    frame: str
    prediction: Path
    image: Path
    ids: frozenset[int]


def list_entries(layout: str, root: Path, predictions: Path, split: str, names: list[str] | None = None) -> list[Entry]:
    """The files that the server wants, sorted by name, after comparing the folders' names with the dataset's.

    DAVIS: every frame of every sequence of the split. YouTube-VOS: the frames that ``meta.json`` lists for some object,
    without it every frame that has an image; predictions of further images are left out of the archive.

    Args:
        layout: ``davis`` or ``youtubevos``.
        root: DAVIS: the folder with JPEGImages/480p; YouTube-VOS: the split's folder, such as ``valid``. The first
            annotations must be there.
        predictions: folder of SEQUENCE/FRAME.png.
        split: DAVIS: which list of ImageSets/2017; otherwise only a name.
        names: of the sequences, a part of the split; None: all.

    Raises:
        UserError: the dataset is incomplete, or a sequence or a frame of the predictions is missing or extra.
    """
    check_layout(root, layout, split, annotated=True)
    sequences = open_layout(layout, root, split)
    wanted = [sequence for sequence in sequences if names is None or sequence.name in names]
    frames = {sequence.name: _wanted_frames(sequence) for sequence in wanted}
    expected = [Expected(sequence.name, frames[sequence.name], sequence.frames) for sequence in wanted]
    check_folder(predictions, expected, (), Faults())
    entries = [entry for item in wanted for entry in _entries(layout, item, frames[item.name], predictions)]
    return sorted(entries, key=lambda entry: entry.name)


def _wanted_frames(sequence: Sequence) -> list[str]:
    listed = {frame for frames in sequence.objects.values() for frame in frames}
    return sorted(listed, key=by_number) or sequence.frames


def _entries(layout: str, sequence: Sequence, frames: list[str], predictions: Path) -> Iterator[Entry]:
    ids = frozenset(sequence.first_frames)
    images = sequence.source.files if isinstance(sequence.source, ImageFiles) else {}
    for frame in frames:
        name = f"{sequence.name}/{frame}.png"
        yield Entry(FOLDERS[layout] + name, sequence.name, frame, predictions / name, images[frame], ids)


def check_entry(entry: Entry) -> None:
    """Raise what the server would stumble over in one file.

    Raises:
        UserError: damaged, no palette PNG, of another size than the image, or with ids that the sequence lacks.
    """
    shape = _read_size(entry.image)
    mask = read_prediction(entry.prediction, entry.sequence, entry.frame, shape, "the image")
    with Image.open(entry.prediction) as image:
        mode = image.mode
    if mode != "P":
        raise UserError(
            f"{entry.prediction}: sequence {entry.sequence}, frame {entry.frame} is a grey PNG (mode {mode}), the "
            "server asks for an indexed one. Write it with a palette, as maskvos segment does."
        )
    unknown = other_ids(mask, entry.ids)
    if unknown:
        raise UserError(unknown_ids(entry.prediction, entry.sequence, entry.frame, unknown, entry.ids))


def _read_size(path: Path) -> tuple[int, int]:
    try:
        with Image.open(path) as image:  # the head alone: a set may have a hundred thousand images
            return image.height, image.width
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"{path}: missing or damaged image ({error}). Restore it.") from None


def pack(entries: list[Entry], output: Path) -> Iterator[Entry]:
    """Check and pack file by file, yielding each when it is done; the archive appears after the last, or not at all.

    Files are stored as they are (PNG is compressed already), in the order given, with one date: the same predictions
    give the same bytes.

    Raises:
        UserError: see `check_entry`; or the archive cannot be written.
    """
    with atomic_file(output) as partial, ZipFile(partial, "w", ZIP_STORED) as archive:
        for entry in entries:
            check_entry(entry)
            member = ZipInfo(entry.name, EARLIEST)
            member.create_system = 3  # Unix, on every machine
            member.external_attr = 0o100644 << 16
            archive.writestr(member, entry.prediction.read_bytes())
            yield entry
