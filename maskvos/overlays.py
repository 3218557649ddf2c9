"""Masks drawn over frames, for overlay videos and for the report."""

import numpy as np

from maskvos.storage.masks import PALETTE


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
    result = image.copy()
    objects = ids > 0
    tinted = (1 - opacity) * image[objects].astype(np.float32) + opacity * colours[ids[objects]]
    result[objects] = tinted.round().astype(np.uint8)
    edge = outline(ids)
    light = 0.35 * colours[ids[edge]] + 0.65 * 255  # the palette's dark colours alone vanish on dark frames
    result[edge] = light.round().astype(np.uint8)
    return result


def outline(ids: np.ndarray) -> np.ndarray:
    """(H, W) bool: object pixels with a 4-neighbour of another id; the frame's border is not an edge."""
    edge = np.zeros(ids.shape, bool)
    down, right = ids[1:] != ids[:-1], ids[:, 1:] != ids[:, :-1]
    edge[1:] |= down
    edge[:-1] |= down
    edge[:, 1:] |= right
    edge[:, :-1] |= right
    return edge & (ids > 0)
