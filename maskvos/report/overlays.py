"""Masks drawn over frames, small enough to be embedded in a page."""

import base64
import io

import cv2
import numpy as np
from PIL import Image

from maskvos.storage.masks import PALETTE

JPEG_QUALITY = 80  # no visible blocks at thumbnail size, about 8 kB for 240 pixels of width


def overlay(image: np.ndarray, ids: np.ndarray, opacity: float = 0.5) -> np.ndarray:
    """Objects tinted in their colour of the DAVIS palette with a lighter outline; background untouched.

    Args:
        image: (H, W, 3) uint8 RGB.
        ids: (H, W) uint8 object ids, 0 background.
        opacity: of the tint, 0 to 1.

    Returns:
        (H, W, 3) uint8 RGB, a new array.
    """
    colours = PALETTE.astype(np.float32)
    tinted = image.astype(np.float32)
    objects = ids > 0
    tinted[objects] = (1 - opacity) * tinted[objects] + opacity * colours[ids[objects]]
    edge = outline(ids)
    tinted[edge] = 0.35 * colours[ids[edge]] + 0.65 * 255  # the palette's dark colours alone vanish on dark frames
    return tinted.round().astype(np.uint8)


def outline(ids: np.ndarray) -> np.ndarray:
    """(H, W) bool: object pixels with a 4-neighbour of another id; the frame's border is not an edge."""
    padded = np.pad(ids, 1, mode="edge")
    centre = padded[1:-1, 1:-1]
    neighbours = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
    return (centre > 0) & np.any([centre != other for other in neighbours], axis=0)


def thumbnail(image: np.ndarray, ids: np.ndarray | None, width: int) -> np.ndarray:
    """A frame at ``width`` pixels with a mask over it, drawn after resizing so that outlines stay one pixel wide.

    Args:
        image: (H, W, 3) uint8 RGB.
        ids: (h, w) uint8 at any resolution, stretched over the frame; None leaves the frame plain.
        width: of the result, pixels.
    """
    height = max(1, round(image.shape[0] * width / image.shape[1]))
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    if ids is None:
        return small
    return overlay(small, cv2.resize(ids, (width, height), interpolation=cv2.INTER_NEAREST))


def data_address(image: np.ndarray) -> str:
    """The picture as a JPEG ``data:`` address for an ``img`` element."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
