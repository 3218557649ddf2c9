"""Geometric augmentation of training clips: one random crop and flip for all frames of a sample, and Phi.

`maskvos.training.batch_cropping` applies the crop to frames, on the device.
"""

from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from maskvos.networks.resample import interpolation_matrix
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


def crop_labels(labels: Tensor, crop: Crop, size: int) -> Tensor:
    """Label maps at the clustering grid, seen through the crop.

    Args:
        labels: (T, h, w) uint8 over whole frames.
        crop: in pixels of the stored frame, whatever the grid's size.
        size: pixels of the result's side.

    Returns:
        (T, size, size) uint8: the label with the largest bilinear weight, which keeps borders smooth.
    """
    frames, height, width = labels.shape
    upright, flip = torch.zeros(1, dtype=torch.bool), torch.tensor([crop.flip])
    rows = interpolation_matrix(*_interval(crop.top, crop.side, crop.height), upright, height, size)[0].numpy()
    columns = interpolation_matrix(*_interval(crop.left, crop.side, crop.width), flip, width, size)[0].numpy()
    # Plain numpy over the part of the grid that is looked at: fifteen times as fast as torch over all of it.
    top, left = rows.any(axis=0), columns.any(axis=0)
    seen = labels.numpy()[:, top][:, :, left]
    rows, columns = np.ascontiguousarray(rows[:, top]), np.ascontiguousarray(columns[:, left].T)
    largest = np.zeros((frames, size, size), np.float32)
    found = np.zeros((frames, size, size), np.uint8)
    for label in np.unique(seen):
        weights = rows @ ((seen == label).astype(np.float32) @ columns)
        np.copyto(found, label, where=weights > largest)
        np.maximum(largest, weights, out=largest)
    return torch.from_numpy(found)


def _interval(start: int, length: int, whole: int) -> tuple[Tensor, Tensor]:
    return torch.tensor([start / whole]), torch.tensor([length / whole])


def random_zoom(rng: np.random.Generator, cropping: Cropping) -> dict[str, Tensor]:
    """The numbers of one Phi: side U[zoom], place uniform inside the frame, flip."""
    side = rng.uniform(cropping.zoom[0], cropping.zoom[1])
    top, left = rng.uniform(0, 1 - side), rng.uniform(0, 1 - side)
    numbers = torch.tensor([top, left, side], dtype=torch.float32)
    return {"zoom": numbers, "zoom_flip": torch.tensor(bool(rng.integers(2)))}
