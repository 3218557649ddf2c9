"""The DAVIS-2017 layout: JPEGImages/480p, Annotations/480p, ImageSets/2017/SPLIT.txt."""

from pathlib import Path

from maskvos.datasets.images import IMAGE_SUFFIXES, ImageFiles, list_files
from maskvos.datasets.sequence import Sequence
from maskvos.errors import UserError

RESOLUTION = "480p"


def read_split(root: Path, split: str) -> list[str]:
    """Names of the sequences of a split, in the list's order.

    Raises:
        UserError: the list is absent or empty.
    """
    path = root / "ImageSets" / "2017" / f"{split}.txt"
    if not path.is_file():
        known = sorted(file.stem for file in path.parent.glob("*.txt"))
        raise UserError(
            f"{path}: no such list of sequences; splits here: {', '.join(known) or 'none'}. Name one of them."
        )
    names = [line.strip() for line in path.read_text().splitlines() if line.strip()]
    if not names:
        raise UserError(f"{path}: the list of sequences is empty. Write one sequence name a line.")
    return names


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
