"""Pseudo masks of training clips, seen through a sample's crop: the loader sends their grids, the device enlarges them.

A grid is a hundredth of the label maps that are made of it, so that processes of the loader neither compute nor carry
those; the device makes them for a whole batch, in the same matrix products as its frames.
"""

import numpy as np
import torch
from torch import Tensor

from maskvos.networks.resample import interpolation_matrix, resample
from maskvos.training.cropping import Crop
from maskvos.training.order import Sample


def label_areas(labels: np.ndarray, crop: Crop, classes: int) -> np.ndarray:
    """Share of a crop that each label covers, to the nearest cell.

    Args:
        labels: (h, w) uint8 over a whole frame.
        crop: in pixels of the stored frame, whatever the grid's size.
        classes: labels are below it.

    Returns:
        (classes,) float64, sums to 1.
    """
    rows = _pixels_of_cells(crop.top, crop.side, labels.shape[0] / crop.height, labels.shape[0])
    columns = _pixels_of_cells(crop.left, crop.side, labels.shape[1] / crop.width, labels.shape[1])
    areas = np.bincount(labels.ravel(), np.outer(rows, columns).ravel(), minlength=classes)
    return areas / areas.sum()


def _pixels_of_cells(start: int, length: int, scale: float, cells: int) -> np.ndarray:
    return np.bincount(((start + np.arange(length) + 0.5) * scale).astype(int), minlength=cells)


def cut_labels(labels: np.ndarray, crop: Crop, room: tuple[int, int], slots: np.ndarray) -> Sample:
    """What `see_labels` needs of a sample.

    Args:
        labels: (T, h, w) uint8 over whole frames.
        crop: in pixels of the stored frames.
        room: rows and columns of the largest grid of the set, so that samples can be stacked.
        slots: (C,) uint8, what each label stands for, 0 for those that are left out.

    Returns:
        ``label_grids`` (T, *room) uint8, their borders repeated; ``label_view`` (4,) float32, begin and length of rows
        and of columns as fractions of ``room``; ``label_flip`` bool; ``label_slots`` (C,) uint8.
    """
    height, width = labels.shape[1:]
    rows, columns = np.minimum(np.arange(room[0]), height - 1), np.minimum(np.arange(room[1]), width - 1)
    down, across = height / (crop.height * room[0]), width / (crop.width * room[1])
    view = [crop.top * down, crop.side * down, crop.left * across, crop.side * across]
    return {
        "label_grids": labels[:, rows[:, None], columns],
        "label_view": np.array(view, np.float32),
        "label_flip": crop.flip,
        "label_slots": slots,
    }


def see_labels(batch: Sample, size: int) -> Tensor:
    """(B, T, size, size) int64: at each pixel the slot of the label with the largest bilinear weight, which keeps
    borders smooth; of equal ones the lowest. A batch that brings ``labels`` is taken at its word."""
    if "labels" in batch:
        return batch["labels"].long()
    grids, slots = batch["label_grids"], batch["label_slots"].long()
    top, down, left, across = batch["label_view"].unbind(dim=1)
    upright = torch.zeros_like(batch["label_flip"])
    rows = interpolation_matrix(top, down, upright, grids.shape[2], size)
    columns = interpolation_matrix(left, across, batch["label_flip"], grids.shape[3], size)
    largest = resample(grids == 0, rows, columns)
    found = torch.zeros_like(largest, dtype=torch.int64)
    for label in range(1, slots.shape[1]):
        weights = resample(grids == label, rows, columns)
        found = torch.where(weights > largest, slots[:, label, None, None, None], found)
        largest = torch.maximum(largest, weights)
    return found
