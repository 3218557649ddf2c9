"""Object masks as palette PNG: the pixel value is the object's id, the palette is the one of DAVIS and PASCAL VOC."""

from pathlib import Path

import numpy as np

from maskvos.errors import UserError
from maskvos.storage.atomic import atomic_file
from maskvos.storage.pillow import open_image
from maskvos.storage.png import decode_plain

END = b"IEND\xaeB`\x82"  # the last chunk of every PNG, with its checksum


def _colour(identity: int) -> tuple[int, int, int]:
    """Colour of one id: its bits dealt to red, green and blue in turn, most significant first (PASCAL VOC)."""
    channels = [0, 0, 0]
    for bit in range(8):
        channels[bit % 3] |= (identity >> bit & 1) << (7 - bit // 3)
    return channels[0], channels[1], channels[2]


PALETTE = np.array([_colour(identity) for identity in range(256)], dtype=np.uint8)
"""(256, 3) uint8 RGB: the colour of each id."""


def write_mask(path: Path | str, ids: np.ndarray) -> None:
    """Write ids (H, W) uint8 (0 background, 1..255 objects) as a palette PNG, atomically.

    Raises:
        ValueError: ``ids`` is not (H, W) uint8.
        UserError: the file cannot be written.
    """
    if ids.ndim != 2 or ids.dtype != np.uint8:
        raise ValueError(f"mask must be (H, W) uint8, not {ids.shape} {ids.dtype}")
    from PIL import Image  # here, so that the evaluation of arrays runs without Pillow

    image = Image.fromarray(ids)
    image.putpalette(PALETTE.tobytes())
    with atomic_file(path) as partial:
        image.save(partial, format="PNG")


def read_mask(path: Path | str) -> np.ndarray:
    """Read ids (H, W) uint8 from a palette, grey or black-and-white PNG.

    Raises:
        UserError: the file is absent or damaged, is no PNG, or holds colours instead of ids.
    """
    try:
        data = Path(path).read_bytes()
        ids = decode_plain(data)
        return _read_any(path, data) if ids is None else ids
    except FileNotFoundError:
        raise UserError(f"{path}: no such mask. Expected a palette PNG with object ids.") from None
    except (OSError, ValueError) as error:
        remedy = "Correct its permissions." if isinstance(error, PermissionError) else "It is damaged; write it again."
        raise UserError(f"{path}: not a readable PNG ({error}). {remedy}") from None


def _read_any(path: Path | str, data: bytes) -> np.ndarray:
    with open_image(data) as image:
        if image.format != "PNG":  # the name says so, the content is JPEG: ids that were smeared
            raise UserError(f"{path}: a mask must be a PNG, this is {image.format}. Save the ids without loss.")
        if image.mode not in ("P", "L", "1"):
            raise UserError(
                f"{path}: a mask must be an indexed (palette) or 8-bit grey PNG whose pixel values are object ids, "
                f"this one has mode {image.mode}. Save the ids, not their colours."
            )
        if END not in data:  # Pillow does not mind
            raise ValueError("its end is missing")
        return np.array(image).astype(np.uint8, copy=False)
