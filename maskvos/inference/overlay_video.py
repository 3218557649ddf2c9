"""The overlay video of ``maskvos segment``: the frames with the masks over them, as MPEG-4 in .mp4.

That is what every build of OpenCV writes: the wheel has no encoder for H.264, and its VP8 and VP9 take 20 and 50 times
as long (measured at 480p: 10, 215 and 515 ms a frame). VLC, mpv, QuickTime and ffmpeg play it; web browsers do not.
"""

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np

from maskvos.errors import UserError
from maskvos.overlays import overlay
from maskvos.storage.masks import read_mask

FILE = "overlay.mp4"
FOLDER_RATE = 10.0  # frames per second where the frames come from a folder: slow enough to see each one
RATES = (1.0, 240.0)  # what containers state beyond these is no rate of frames; MPEG-4 cannot hold all of them
# A box that players skip (ISO 14496-12, 8.1.2), by which a later run knows that it may replace the file.
MARK = struct.pack(">I4s", 24, b"free") + b"maskvos overlay\n"


def choose_rate(stated: float, wanted: float | None) -> float:
    """Frames per second: what is ``wanted``, else what the video states, else `FOLDER_RATE`.

    Raises:
        UserError: the wanted rate is out of range.
    """
    if wanted is not None and not RATES[0] <= wanted <= RATES[1]:
        raise UserError(f"--overlay-rate {wanted:g}: expected {RATES[0]:g} to {RATES[1]:g} frames per second.")
    rate = wanted if wanted is not None else stated if RATES[0] <= stated <= RATES[1] else FOLDER_RATE
    return round(rate, 3)


def write_overlay(
    path: Path, frames: Iterable[tuple[str, np.ndarray]], masks: Path, rate: float, size: tuple[int, ...]
) -> Iterator[str]:
    """Write ``path`` from frames (H, W, 3) uint8 RGB and the masks of the same names; yields the names as it goes.

    Args:
        size: (H, W). Encoders want even sizes: an odd one gains a row or a column, a copy of the last.

    Raises:
        UserError: the video cannot be written.
    """
    height, width = size[0] + size[0] % 2, size[1] + size[1] % 2
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), rate, (width, height))
    count = 0
    try:
        if not writer.isOpened():
            raise _fault(path, f"OpenCV cannot encode {width}x{height} as MPEG-4 here")
        for name, image in frames:
            drawn = overlay(image, read_mask(masks / f"{name}.png"))
            even = np.pad(drawn, ((0, height - size[0]), (0, width - size[1]), (0, 0)), mode="edge")
            writer.write(cv2.cvtColor(even, cv2.COLOR_RGB2BGR))
            count += 1
            yield name
    finally:
        writer.release()
    written = cv2.VideoCapture(str(path))  # the writer says nothing where the disk is full
    if int(written.get(cv2.CAP_PROP_FRAME_COUNT)) != count:
        raise _fault(path, "it is not complete, the disk may be full")
    with path.open("ab") as file:
        file.write(MARK)


def is_overlay(path: Path) -> bool:
    """Whether this is a video of `write_overlay`."""
    if path.name != FILE or path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - len(MARK)))
        return file.read() == MARK


def _fault(path: Path, reason: str) -> UserError:
    return UserError(f"cannot write {path.name}: {reason}. Free space, or add --no-overlay; the masks are kept.")
