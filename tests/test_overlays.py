"""Overlays against plain loops."""

import numpy as np

from maskvos.overlays import outline, overlay
from maskvos.storage.masks import PALETTE

RANDOM = np.random.default_rng(0)


def plain_outline(ids: np.ndarray) -> np.ndarray:
    height, width = ids.shape
    edge = np.zeros((height, width), bool)
    for row in range(height):
        for column in range(width):
            for down, right in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                y, x = row + down, column + right
                inside = 0 <= y < height and 0 <= x < width
                edge[row, column] |= bool(ids[row, column] and inside and ids[y, x] != ids[row, column])
    return edge


def test_outline_equals_loops():
    ids = RANDOM.integers(0, 3, (9, 13)).astype(np.uint8)
    np.testing.assert_array_equal(outline(ids), plain_outline(ids))


def test_overlay_equals_loops():
    image = RANDOM.integers(0, 256, (9, 13, 3)).astype(np.uint8)
    ids = np.repeat(np.repeat(RANDOM.integers(0, 3, (3, 5)), 3, 0), 3, 1)[:, :13].astype(np.uint8)
    edge = plain_outline(ids)
    result = overlay(image, ids, opacity=0.25)
    for row, column in np.ndindex(9, 13):
        colour = PALETTE[ids[row, column]].astype(float)
        expected = image[row, column].astype(float)
        if edge[row, column]:
            expected = 0.35 * colour + 0.65 * 255
        elif ids[row, column]:
            expected = 0.75 * expected + 0.25 * colour
        np.testing.assert_allclose(result[row, column], expected, atol=0.51)


def test_overlay_leaves_background_and_input_alone():
    image = RANDOM.integers(0, 256, (6, 6, 3)).astype(np.uint8)
    before = image.copy()
    np.testing.assert_array_equal(overlay(image, np.zeros((6, 6), np.uint8)), before)
    overlay(image, np.ones((6, 6), np.uint8))
    np.testing.assert_array_equal(image, before)
