"""Frames with masks over them, small enough to be embedded in a page."""

import base64
import io

import cv2
import numpy as np
from PIL import Image

from maskvos.overlays import overlay

JPEG_QUALITY = 80  # no visible blocks at thumbnail size, about 8 kB for 240 pixels of width


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
