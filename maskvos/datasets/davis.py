"""The DAVIS layout: JPEGImages/480p, Annotations/480p, ImageSets/2017/SPLIT.txt (2016: see `read_split`)."""

from pathlib import Path

from maskvos.console import log
from maskvos.datasets.images import IMAGE_SUFFIXES, ImageFiles, list_files
from maskvos.datasets.sequence import Sequence
from maskvos.errors import UserError

RESOLUTION = "480p"
LISTS = {2017: ("2017",), 2016: ("2016", RESOLUTION, "2017")}  # DAVIS-2016 as first published has ImageSets/480p


def read_split(root: Path, split: str, year: int = 2017) -> list[str]:
    """Names of the sequences of a split, in the list's order.

    A line is a sequence's name, or as first published in 2016 an image and its annotation
    (``/JPEGImages/480p/NAME/FRAME.jpg /Annotations/...``). Where there is no list of 2016, that of 2017 is taken, and
    said: it names other sequences.

    Raises:
        UserError: the list is absent or empty.
    """
    paths = [root / "ImageSets" / folder / f"{split}.txt" for folder in LISTS[year]]
    path = next((path for path in paths if path.is_file()), paths[0])
    if not path.is_file():
        known = sorted({file.stem for path in paths for file in path.parent.glob("*.txt")})
        raise UserError(
            f"{path}: no such list of sequences; splits here: {', '.join(known) or 'none'}. Name one of them."
        )
    if path.parent.name != paths[0].parent.name and path.parent.name in LISTS[2017]:
        log.warning("%s: no list of DAVIS-%d here; the sequences are those of %s", root, year, path)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise UserError(f"{path}: the list of sequences is not in UTF-8. Save it anew.") from None
    names = list(dict.fromkeys(_sequence_name(line) for line in lines if line.strip()))
    if not names:
        raise UserError(f"{path}: the list of sequences is empty. Write one sequence name a line.")
    return names


def _sequence_name(line: str) -> str:
    first = line.split()[0]
    return Path(first).parent.name if "/" in first else first


def annotation_files(root: Path, name: str) -> dict[str, Path]:
    """Frame -> annotation file of one sequence, in order."""
    return list_files(root / "Annotations" / RESOLUTION / name, (".png",))


def open_davis(root: Path, split: str) -> list[Sequence]:
    """The sequences of one split, in the list's order.

    Raises:
        UserError: the list or the frames of a sequence are missing.
    """
    return [_open_sequence(root, name) for name in read_split(root, split)]


def _open_sequence(root: Path, name: str) -> Sequence:
    folder = root / "JPEGImages" / RESOLUTION / name
    files = list_files(folder, IMAGE_SUFFIXES)
    if not files:
        raise UserError(
            f"{folder}: no frames of sequence {name}. Unpack the dataset again or correct the split's list."
        )
    return Sequence(name, list(files), ImageFiles(files), annotation_files(root, name), scores_last_frame=False)
