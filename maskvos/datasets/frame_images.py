"""One training frame: read with care, made smaller, encoded. Images are (H, W, 3) uint8 BGR here, OpenCV's order."""

import io
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError


class DamagedFrameError(Exception):
    """The image cannot be used; the message says why, without the path (it goes into the frame store's index)."""


def read_checked(path: Path) -> np.ndarray:
    """An image file as (H, W, 3) uint8 BGR, turned upright where it records its orientation.

    Raises:
        DamagedFrameError: empty, cut off, of unknown format or unreadable. OpenCV alone decodes a cut-off JPEG without
            a word, the lower part grey.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DamagedFrameError(f"cannot be read ({error.strerror})") from error
    if not data:
        raise DamagedFrameError("empty file")
    _check_complete(data)
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:  # absurd sizes in a damaged header
        raise DamagedFrameError("cannot be decoded") from error
    if image is None:
        raise DamagedFrameError("cannot be decoded")
    return image


def _check_complete(data: bytes) -> None:
    if data.startswith(b"\xff\xd8"):
        # Inside a scan 0xFF is stuffed, so an end marker (FFD9) after the last start of scan (FFDA) ends the picture.
        if data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda"):
            raise DamagedFrameError("cut off (JPEG without its end)")
        return
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.verify()  # a PNG's chunks against their CRC
    except UnidentifiedImageError as error:
        raise DamagedFrameError("not an image") from error
    except (OSError, SyntaxError, ValueError, IndexError, Image.DecompressionBombError) as error:
        raise DamagedFrameError(f"damaged ({error})") from error


def shrink(image: np.ndarray, short_side: int) -> np.ndarray:
    """The image with its short side at ``short_side`` pixels, area interpolation; a smaller one stays as it is."""
    height, width = image.shape[:2]
    if min(height, width) <= short_side:
        return image
    scale = short_side / min(height, width)
    size = (max(short_side, round(width * scale)), max(short_side, round(height * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def encode(image: np.ndarray, quality: int) -> bytes:
    """JPEG bytes at ``quality`` 1 to 100, PNG bytes (lossless) at 0."""
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality] if quality else [cv2.IMWRITE_PNG_COMPRESSION, 6]
    return bytes(cv2.imencode(encoded_suffix(quality), image, settings)[1])


def encoded_suffix(quality: int) -> str:
    """The file name suffix of what `encode` returns."""
    return ".jpg" if quality else ".png"
