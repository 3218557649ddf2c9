"""J, F and their statistics from the official definitions, on whole images with plain loops in float64."""

import math

import numpy as np


def jaccard(truth: np.ndarray, prediction: np.ndarray) -> float:
    both = either = 0
    for true, said in zip(truth.ravel().tolist(), prediction.ravel().tolist(), strict=True):
        both += bool(true and said)
        either += bool(true or said)
    return both / either if either else 1.0


def boundary_pixels(mask: np.ndarray) -> set[tuple[int, int]]:
    """A pixel differs from its right, lower or lower right neighbour; last row and column look along themselves."""
    height, width = mask.shape
    pixels = set()
    for y in range(height):
        for x in range(width):
            if y == height - 1 and x == width - 1:
                continue
            if y == height - 1:
                neighbours = [(y, x + 1)]
            elif x == width - 1:
                neighbours = [(y + 1, x)]
            else:
                neighbours = [(y, x + 1), (y + 1, x), (y + 1, x + 1)]
            if any(bool(mask[neighbour]) != bool(mask[y, x]) for neighbour in neighbours):
                pixels.add((y, x))
    return pixels


def boundary_f(truth: np.ndarray, prediction: np.ndarray) -> float:
    radius = math.ceil(0.008 * math.sqrt(truth.shape[0] ** 2 + truth.shape[1] ** 2))
    true_edge, edge = boundary_pixels(truth), boundary_pixels(prediction)
    if not true_edge or not edge:
        return 1.0 if not true_edge and not edge else 0.0

    def share_near(pixels: set[tuple[int, int]], others: set[tuple[int, int]]) -> float:
        near = sum(any((y - v) ** 2 + (x - u) ** 2 <= radius**2 for v, u in others) for y, x in pixels)
        return near / len(pixels)

    precision, recall = share_near(edge, true_edge), share_near(true_edge, edge)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def statistics(values: list[float]) -> tuple[float, float, float]:
    count = len(values)
    bounds = [math.floor(1 + (count - 1) * quarter / 4 + 0.5) - 1 for quarter in range(5)]
    first, last = values[bounds[0] : bounds[1] + 1], values[bounds[3] : bounds[4] + 1]
    mean = math.fsum(values) / count
    return mean, sum(v > 0.5 for v in values) / count, math.fsum(first) / len(first) - math.fsum(last) / len(last)


def six_figures(pairs: list[tuple[np.ndarray, np.ndarray]]) -> tuple[float, ...]:
    """J's mean, recall and decay, then F's, of one object's (truth, prediction) on its scored frames."""
    return (*statistics([jaccard(*pair) for pair in pairs]), *statistics([boundary_f(*pair) for pair in pairs]))


def davis_2017(truth: list[np.ndarray], prediction: list[np.ndarray]) -> dict[int, tuple[float, ...]]:
    """Ids 1 to the first frame's highest below 255, without the first and the last frame."""
    highest = max((value for value in truth[0].ravel().tolist() if value < 255), default=0)
    frames = range(1, len(truth) - 1)
    return {
        identity: six_figures([(truth[frame] == identity, prediction[frame] == identity) for frame in frames])
        for identity in range(1, highest + 1)
    }


def davis_2016(truth: list[np.ndarray], prediction: list[np.ndarray]) -> dict[int, tuple[float, ...]]:
    """Whatever is not 0 is the object."""
    return {1: six_figures([(truth[frame] != 0, prediction[frame] != 0) for frame in range(1, len(truth) - 1)])}


def youtubevos(
    truth: list[np.ndarray], prediction: list[np.ndarray], listed: dict[int, list[int]] | None
) -> dict[int, tuple[float, ...]]:
    """Each object on the frames listed for it but the first; without a list, from where it is seen first to the end."""
    if listed is None:
        listed = {}
        for identity in sorted({value for mask in truth for value in mask.ravel().tolist() if 0 < value < 255}):
            first = next(frame for frame, mask in enumerate(truth) if identity in mask.ravel().tolist())
            listed[identity] = list(range(first, len(truth)))
    return {
        identity: six_figures([(truth[frame] == identity, prediction[frame] == identity) for frame in frames[1:]])
        for identity, frames in listed.items()
        if frames[1:]
    }
