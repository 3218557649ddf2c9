"""Where the masks to score against lie: a dataset in the DAVIS or YouTube-VOS layout, or a plain folder of masks."""

from dataclasses import dataclass
from pathlib import Path

from maskvos.datasets.davis import RESOLUTION
from maskvos.datasets.images import IMAGE_SUFFIXES, list_files, list_visible
from maskvos.datasets.youtubevos import ground_truth_root
from maskvos.errors import UserError

PARTS = ("Annotations", "JPEGImages", "ImageSets")  # a dataset has at least one of these, a plain folder none


@dataclass(frozen=True)
class GroundTruth:
    """``masks`` and ``images`` are folders of SEQUENCE/FRAME.png and .jpg; a plain folder of masks has no images."""

    root: Path
    masks: Path
    images: Path | None = None

    @property
    def is_plain(self) -> bool:
        """Whether the root itself holds the sequences, so that no list says which belong together."""
        return self.masks == self.root

    def sequences(self) -> list[str]:
        """Names of all sequences that have a folder of masks, sorted."""
        return list_folders(self.masks)

    def files(self, sequence: str) -> dict[str, Path]:
        """Frame -> mask of one sequence, in order; empty where it has none."""
        return list_files(self.masks / sequence, (".png",))

    def image_frames(self, sequence: str) -> list[str]:
        """Frames that have an image, in order; empty where the images are not at hand."""
        return list(list_files(self.images / sequence, IMAGE_SUFFIXES)) if self.images is not None else []

    def known_frames(self, sequence: str) -> set[str]:
        """Frames that have a mask or an image: those that predictions may hold."""
        return {*self.files(sequence), *self.image_frames(sequence)}

    def known_sequences(self) -> set[str]:
        """Sequences that have a folder of masks or of images, of whatever split."""
        return {*self.sequences(), *(list_folders(self.images) if self.images is not None else ())}


def list_folders(folder: Path) -> list[str]:
    """Names of the folders in a folder, sorted; hidden ones left out. Empty where there is no such folder."""
    if not folder.is_dir():
        return []
    return [path.name for path in list_visible(folder, Path.is_dir)]


def find_davis(root: Path) -> GroundTruth:
    """``ROOT/Annotations/480p``, or the root itself where it is a plain folder of SEQUENCE/FRAME.png.

    Raises:
        UserError: the root is neither; the message says what it holds.
    """
    if (root / "Annotations" / RESOLUTION).is_dir():
        return GroundTruth(root, root / "Annotations" / RESOLUTION, root / "JPEGImages" / RESOLUTION)
    expected = f"Annotations/{RESOLUTION}/SEQUENCE/FRAME.png and ImageSets"
    if (root / "Annotations").is_dir() and not (root / "ImageSets").is_dir():
        expected += " (the YouTube-VOS layout is scored by `maskvos evaluate youtubevos`)"
    return _plain(root, expected)


def find_youtubevos(root: Path) -> GroundTruth:
    """``Annotations`` of ``ROOT/ground_truth``, ``ROOT_ground_truth`` or ``ROOT``, or a plain folder; as `find_davis`.

    Raises:
        UserError: the root is neither; the message says what it holds.
    """
    expected = "Annotations/SEQUENCE/FRAME.png"
    if (root / "Annotations" / RESOLUTION).is_dir():
        return _plain(root, f"{expected} (the DAVIS layout is scored by `maskvos evaluate davis`)")
    found = ground_truth_root(root) or root
    if (found / "Annotations").is_dir():
        return GroundTruth(root, found / "Annotations", root / "JPEGImages")
    return _plain(root, expected)


def _plain(root: Path, expected: str) -> GroundTruth:
    if not root.is_dir():
        raise UserError(f"{root}: no such folder of ground truth. Correct --ground-truth.")
    plain = GroundTruth(root, root)
    holds = sorted(path.name for path in root.iterdir() if not path.name.startswith("."))
    if not set(PARTS) & set(holds) and any(plain.files(name) for name in plain.sequences()):
        return plain
    shown = ", ".join(holds[:5]) + (f" and {len(holds) - 5} more" if len(holds) > 5 else "")
    raise UserError(
        f"{root}: no ground truth found. Expected a dataset with {expected}, or a plain folder of SEQUENCE/FRAME.png; "
        f"this one holds {shown or 'nothing'}. Correct --ground-truth."
    )
