"""One training clip in, encoded frames out: damaged frames left out, videos sampled, long videos cut."""

from collections import Counter
from collections.abc import Iterator

import cv2
import numpy as np

from maskvos.datasets.frame_images import DamagedFrameError, encode, read_checked, shrink
from maskvos.datasets.images import ImageFiles
from maskvos.datasets.sequence import Sequence
from maskvos.errors import UserError
from maskvos.params.data import Prepare
from maskvos.storage.frame_writer import EncodedClip

# A query and two references: the least that the segmentation stage can draw from.
FEWEST_FRAMES = 3
# DAVIS's longest sequence. A clip is clustered in one piece, so a long video is cut to bound the memory that takes.
LONGEST_PIECE = 104
UNDECODABLE = "not one frame of this video can be decoded"


def encode_clip(clip: Sequence, settings: Prepare) -> list[EncodedClip]:
    """Encode one clip; a long video file gives several, NAME-000, NAME-001, ..., of at most `LONGEST_PIECE` frames."""
    if not clip.frames:
        return [EncodedClip(clip.name, 0, 0, [], [], unusable=UNDECODABLE)]
    sizes: dict[str, tuple[int, ...]] = {}
    images: dict[str, np.ndarray] = {}
    left_out: dict[str, str] = {}
    for name in _sampled(clip, settings.frames_per_second):
        try:
            image = _read(clip, name)
        except DamagedFrameError as error:
            left_out[name] = str(error)
            continue
        sizes[name] = image.shape[:2]
        images[name] = shrink(image, settings.short_side)
    usual = Counter(sizes.values()).most_common(1)[0][0] if sizes else ()
    for name, size in sizes.items():
        if size != usual:
            left_out[name] = f"{size[1]}x{size[0]} pixels in a clip of {usual[1]}x{usual[0]}"
            del images[name]
    encoded = {name: encode(image, settings.quality) for name, image in images.items()}
    height, width = next(iter(images.values())).shape[:2] if images else (0, 0)
    whole = EncodedClip(clip.name, height, width, list(encoded), list(encoded.values()), dict(sorted(left_out.items())))
    return [_usable(whole)] if isinstance(clip.source, ImageFiles) else list(_cut(whole))


def _sampled(clip: Sequence, frames_per_second: float) -> list[str]:
    """Frames at the wanted rate: those at which a new period of it begins; folders of frames are taken whole."""
    step = min(frames_per_second / clip.rate, 1.0) if clip.rate > 0 else 1.0
    return [
        name
        for number, name in enumerate(clip.frames)
        if number == 0 or int(number * step + 1e-9) > int((number - 1) * step + 1e-9)
    ]


def _read(clip: Sequence, frame: str) -> np.ndarray:
    if isinstance(clip.source, ImageFiles):
        return read_checked(clip.source.files[frame])
    try:
        return cv2.cvtColor(clip.image(frame), cv2.COLOR_RGB2BGR)
    except UserError as error:  # its message names a path of this machine, which must stay out of the index
        raise DamagedFrameError("cannot be decoded") from error


def _usable(clip: EncodedClip) -> EncodedClip:
    if len(clip.names) >= FEWEST_FRAMES:
        return clip
    reason = f"{len(clip.names)} usable frames, at least {FEWEST_FRAMES} are needed"
    return EncodedClip(clip.name, 0, 0, [], [], clip.left_out, unusable=reason)


def _cut(clip: EncodedClip) -> Iterator[EncodedClip]:
    total = len(clip.names)
    pieces = -(-total // LONGEST_PIECE)
    if pieces <= 1:
        yield _usable(clip)
        return
    for piece in range(pieces):
        part = slice(total * piece // pieces, total * (piece + 1) // pieces)
        left_out = clip.left_out if piece == 0 else {}
        name = f"{clip.name}-{piece:03d}"
        yield EncodedClip(name, clip.height, clip.width, clip.names[part], clip.images[part], left_out)
