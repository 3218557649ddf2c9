"""Region similarity J and boundary accuracy F of one frame, as the official DAVIS-2017 evaluator defines them.

Facts from davis2017-evaluation (metrics.py at ac7c43f), checked on its output; the code is our own.
Everything that decides a score lies inside the box around both masks, one pixel wider: the boundary of a mask touches
no pixel outside it, and only boundary pixels are matched. Each object is therefore cropped to that box, exactly.
"""

from functools import cache

import cv2
import numpy as np

TOLERANCE = 0.008  # of the image diagonal: how far a boundary pixel may lie from the other boundary


def boundary_radius(height: int, width: int) -> int:
    """Radius in pixels within which boundary pixels match: 0.008 of the diagonal, rounded up; at least 1."""
    return int(np.ceil(TOLERANCE * np.linalg.norm((height, width))))


@cache
def _disk(radius: int) -> np.ndarray:
    """(2r+1, 2r+1) uint8: ones where x² + y² <= r²; OpenCV's own ellipse is another shape."""
    offsets = np.arange(-radius, radius + 1)
    return (offsets[:, None] ** 2 + offsets[None, :] ** 2 <= radius**2).astype(np.uint8)


def boundary(mask: np.ndarray) -> np.ndarray:
    """One-pixel boundary of a 0/1 mask, (H, W) uint8 each.

    A pixel is on it if it differs from its right, lower or lower right neighbour. At the image's border the missing
    neighbours equal the pixel: an object that leaves the image has no boundary there.
    """
    beyond = cv2.copyMakeBorder(mask, 0, 1, 0, 1, cv2.BORDER_REPLICATE)
    return (mask ^ beyond[:-1, 1:]) | (mask ^ beyond[1:, :-1]) | (mask ^ beyond[1:, 1:])


def region_similarity(truth: np.ndarray, prediction: np.ndarray) -> float:
    """J: intersection over union of two 0/1 masks (H, W) uint8, in 0..1; 1 where both are empty."""
    union = cv2.countNonZero(truth | prediction)
    return cv2.countNonZero(truth & prediction) / union if union else 1.0


def boundary_accuracy(truth: np.ndarray, prediction: np.ndarray, radius: int) -> float:
    """F: harmonic mean of boundary precision and recall of two 0/1 masks (H, W) uint8, in 0..1.

    Where one mask has no boundary (it is empty or fills the image) and the other has one, F is 0; where neither has
    one, F is 1. ``radius`` is the whole image's, see `boundary_radius`.
    """
    true_edge, edge = boundary(truth), boundary(prediction)
    true_length, length = cv2.countNonZero(true_edge), cv2.countNonZero(edge)
    if not true_length or not length:
        return float(true_length == length)
    precision = cv2.countNonZero(edge & cv2.dilate(true_edge, _disk(radius))) / length
    recall = cv2.countNonZero(true_edge & cv2.dilate(edge, _disk(radius))) / true_length
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def measure_object(truth: np.ndarray, prediction: np.ndarray, identity: int) -> tuple[float, float]:
    """(J, F) of one object between two id maps (H, W) uint8 of the same size."""
    height, width = truth.shape
    true_mask, mask = (truth == identity).view(np.uint8), (prediction == identity).view(np.uint8)
    left, top, across, down = cv2.boundingRect(true_mask | mask)
    rows = slice(max(top - 1, 0), top + down + 1)
    columns = slice(max(left - 1, 0), left + across + 1)
    true_mask, mask = true_mask[rows, columns], mask[rows, columns]
    if not across:
        return 1.0, 1.0
    return region_similarity(true_mask, mask), boundary_accuracy(true_mask, mask, boundary_radius(height, width))
