"""Region similarity J and boundary accuracy F of one frame, as the official DAVIS-2017 evaluator defines them.

Facts from davis2017-evaluation (metrics.py at ac7c43f), checked on its output; the code is our own.
Everything that decides a score lies inside the box around both masks, one pixel wider: the boundary of a mask touches
no pixel outside it, and only boundary pixels are matched. Each object is therefore cropped to that box, exactly.
"""

from collections.abc import Iterable

import numpy as np

from maskvos.evaluation.bitmaps import boundary, dilate, pack

TOLERANCE = 0.008  # of the image diagonal: how far a boundary pixel may lie from the other boundary


def boundary_radius(height: int, width: int) -> int:
    """Radius in pixels within which boundary pixels match: 0.008 of the diagonal, rounded up; at least 1."""
    return int(np.ceil(TOLERANCE * np.linalg.norm((height, width))))


def measure_objects(
    truth: np.ndarray, prediction: np.ndarray, objects: Iterable[int]
) -> dict[int, tuple[float, float]]:
    """(J, F) of each of ``objects`` between two id maps (H, W) uint8 of the same size."""
    radius = boundary_radius(*truth.shape)
    box = _box(truth | prediction)
    truth, prediction = truth[box], prediction[box]
    return {identity: _measure(truth == identity, prediction == identity, radius) for identity in objects}


def _box(mask: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns around all that is not 0 in a mask (H, W) uint8, one pixel wider where the image goes on."""
    rows = np.flatnonzero(mask.max(axis=1))  # with the columns of these rows, half of the time of cv2.boundingRect
    if not rows.size:
        return slice(0, 1), slice(0, 1)
    top, end = max(int(rows[0]) - 1, 0), int(rows[-1]) + 2
    columns = np.flatnonzero(mask[top:end].max(axis=0))
    return slice(top, end), slice(max(int(columns[0]) - 1, 0), int(columns[-1]) + 2)


def _measure(truth: np.ndarray, prediction: np.ndarray, radius: int) -> tuple[float, float]:
    """(J, F) of two masks (H, W) bool; both 1 where both masks are empty."""
    box = _box((truth | prediction).view(np.uint8))
    height, width = truth[box].shape
    stride = width + radius
    true_bits, bits = pack(truth[box], stride), pack(prediction[box], stride)
    union = (true_bits | bits).bit_count()
    similarity = (true_bits & bits).bit_count() / union if union else 1.0
    edges = boundary(true_bits, width, height, stride), boundary(bits, width, height, stride)
    return similarity, boundary_accuracy(*edges, radius, stride)


def boundary_accuracy(true_edge: int, edge: int, radius: int, stride: int) -> float:
    """F: harmonic mean of precision and recall of two boundaries, each a bitmap; 0..1.

    Where one mask has no boundary (it is empty or fills the image) and the other has one, F is 0; where neither has
    one, F is 1. ``radius`` is the whole image's, see `boundary_radius`.
    """
    true_length, length = true_edge.bit_count(), edge.bit_count()
    if not true_length or not length:
        return float(true_length == length)
    precision = (edge & dilate(true_edge, radius, stride)).bit_count() / length
    recall = (true_edge & dilate(edge, radius, stride)).bit_count() / true_length
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
