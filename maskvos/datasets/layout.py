"""Checks that a dataset folder is what its layout promises, and lists what a run can read of it.

Nothing is decoded but the length of video files. Only the files of the asked split are listed, so that its fingerprint
stays the same when another split of the same folder changes.
"""

from dataclasses import dataclass, field
from pathlib import Path

from maskvos.datasets.clips import open_clips
from maskvos.datasets.images import ImageFiles, VideoFile, list_files
from maskvos.datasets.readers import open_layout
from maskvos.datasets.sequence import Sequence
from maskvos.datasets.youtubevos import ground_truth_root, read_meta
from maskvos.errors import UserError


@dataclass
class Listing:
    """Frames of each sequence, and the size in bytes of every file by its path."""

    sequences: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)

    @property
    def frames(self) -> int:
        """Frames of all sequences."""
        return sum(self.sequences.values())


def check_layout(root: Path, layout: str, split: str, annotated: bool) -> Listing:
    """List a dataset folder and check that it is what its layout promises.

    Args:
        root: DAVIS: the folder with JPEGImages/480p; YouTube-VOS: the split's folder; clips: the folder of videos.
        layout: ``davis``, ``youtubevos`` or ``clips``.
        split: DAVIS: which list of ImageSets/2017; otherwise only a name.
        annotated: whether annotations are needed (an evaluation set); for training they are not even looked at.

    Raises:
        UserError: says what was expected where, and what was found.
    """
    if layout == "clips":
        if annotated:
            raise UserError(f"{root}: the layout 'clips' has no annotations to evaluate on; use davis or youtubevos.")
        return _list_clips(root)
    listing = Listing()
    sequences = open_layout(layout, root, split)
    for sequence in sequences:
        _check_listed_frames(root, sequence)
        if isinstance(sequence.source, ImageFiles):
            _add(listing, root, list(sequence.source.files.values()))
        listing.sequences[sequence.name] = len(sequence.frames)
    if annotated:
        _check_annotations(root, layout, sequences)
        _add_annotations(listing, root, layout, sequences)
    return listing


def _check_listed_frames(root: Path, sequence: Sequence) -> None:
    """Frames of the sequence against those that YouTube-VOS's meta.json lists for its objects."""
    for identity, listed in sequence.objects.items():
        absent = sorted(set(listed) - set(sequence.frames))
        if absent:
            raise UserError(
                f"{root / 'JPEGImages' / sequence.name}: frame {absent[0]} of sequence {sequence.name} is missing; "
                f"meta.json lists it for object {identity} ({len(absent)} such). The extraction is incomplete or "
                "frames and meta.json are of different releases; unpack the archive again."
            )


def _check_annotations(root: Path, layout: str, sequences: list[Sequence]) -> None:
    absent = sorted(set(read_meta(root)) - {sequence.name for sequence in sequences}) if layout == "youtubevos" else []
    if absent:
        raise UserError(
            f"{root}: meta.json names {len(absent)} sequences that JPEGImages lacks, such as {absent[0]}. The "
            "extraction is incomplete or frames and meta.json are of different releases; unpack the archive again."
        )
    folder = root / "Annotations" / ("480p" if layout == "davis" else "")
    for sequence in sequences:
        if not sequence.masks:
            raise UserError(
                f"{folder / sequence.name}: no annotation of this sequence; expected at least a palette PNG named as "
                f"the first frame ({sequence.frames[0]}.png). Unpack the annotations there."
            )
        stray = sorted(set(sequence.masks) - set(sequence.frames))
        if stray:
            raise UserError(
                f"{folder / sequence.name / stray[0]}.png: annotates a frame that JPEGImages lacks. Frames and "
                "annotations are of different releases, or frames are missing."
            )


def _add_annotations(listing: Listing, root: Path, layout: str, sequences: list[Sequence]) -> None:
    for sequence in sequences:
        _add(listing, root, list(sequence.masks.values()))
    if layout == "youtubevos":
        _add(listing, root, [root / "meta.json"] * (root / "meta.json").is_file())
        truth = ground_truth_root(root)
        if truth is not None:
            for sequence in sequences:
                masks = list_files(truth / "Annotations" / sequence.name, (".png",))
                _add(listing, truth.parent, list(masks.values()))


def _list_clips(root: Path) -> Listing:
    """Clips for training; a video that cannot be decoded is listed without frames, for `prepare` to report."""
    listing = Listing()
    for clip in open_clips(root):
        listing.sequences[clip.name] = len(clip.frames)
        if isinstance(clip.source, ImageFiles):
            _add(listing, root, list(clip.source.files.values()))
        elif isinstance(clip.source, VideoFile):
            _add(listing, root, [clip.source.path])
    return listing


def _add(listing: Listing, base: Path, paths: list[Path]) -> None:
    for path in paths:
        listing.files[path.relative_to(base).as_posix()] = path.stat().st_size
