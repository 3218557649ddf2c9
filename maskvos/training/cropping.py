"""Geometric augmentation of training clips: one random crop and flip for all frames of a sample, and Phi.

On the device `maskvos.training.batch_cropping` applies the crop to frames, `maskvos.training.label_maps` to labels.
"""

from typing import Any, NamedTuple

import cv2
import numpy as np

from maskvos.params.method import Cropping


class Crop(NamedTuple):
    """A square crop of a frame in its own pixels; ``flip`` is horizontal."""

    top: int
    left: int
    side: int
    flip: bool
    height: int
    width: int


def random_crop(rng: np.random.Generator, height: int, width: int, cropping: Cropping) -> Crop:
    """A crop that shows the frame as if its short side had been resized to U[short_side] and cut to ``crop`` pixels."""
    short = rng.uniform(cropping.short_side[0], cropping.short_side[1])
    side = min(round(cropping.crop * min(height, width) / short), height, width)
    top, left = int(rng.integers(0, height - side + 1)), int(rng.integers(0, width - side + 1))
    return Crop(top, left, side, bool(rng.integers(2)), height, width)


def crop_image(image: np.ndarray, crop: Crop, size: int) -> np.ndarray:
    """(H, W, 3) uint8 -> (3, size, size) uint8, antialiased where it shrinks."""
    cut = image[crop.top : crop.top + crop.side, crop.left : crop.left + crop.side]
    method = cv2.INTER_AREA if crop.side > size else cv2.INTER_LINEAR
    resized = cv2.resize(cut, (size, size), interpolation=method)
    return np.ascontiguousarray((resized[:, ::-1] if crop.flip else resized).transpose(2, 0, 1))


def random_zoom(rng: np.random.Generator, cropping: Cropping) -> dict[str, Any]:
    """The numbers of one Phi: ``zoom`` (3,) top, left and side, side U[zoom], place uniform inside the frame; flip."""
    side = rng.uniform(cropping.zoom[0], cropping.zoom[1])
    top, left = rng.uniform(0, 1 - side), rng.uniform(0, 1 - side)
    return {"zoom": np.array([top, left, side], np.float32), "zoom_flip": bool(rng.integers(2))}
