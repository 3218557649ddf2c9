"""Bitmaps against plain loops over pixels."""

import numpy as np
import pytest

from maskvos.evaluation.bitmaps import boundary, dilate, pack
from tests.evaluation.masks import random_ids
from tests.evaluation.reference import boundary_pixels

Pixels = set[tuple[int, int]]


def pixels(bits: int, width: int, height: int, stride: int) -> Pixels:
    """The set pixels inside the image, bit by bit."""
    return {(y, x) for y in range(height) for x in range(width) if bits >> y * stride + x & 1}


def marked(mask: np.ndarray) -> Pixels:
    return {(y, x) for y, x in np.argwhere(mask).tolist()}


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 1), (3, 8), (13, 17)], ids=str)
def test_a_bit_is_a_pixel_and_the_gap_is_empty(size: tuple[int, int]):
    height, width = size
    mask = np.random.default_rng(size).random(size) < 0.5
    for stride in (width, width + 1, width + 5, 64):
        bits = pack(mask, stride)
        assert pixels(bits, width, height, stride) == marked(mask)
        assert bits.bit_count() == mask.sum()


@pytest.mark.parametrize("rows", [slice(0, 4), slice(5, 9), slice(0, 9), slice(3, 6)], ids=str)
@pytest.mark.parametrize("columns", [slice(0, 3), slice(7, 11), slice(0, 11), slice(4, 7)], ids=str)
def test_boundary_at_the_borders(rows: slice, columns: slice):
    mask = np.zeros((9, 11), np.uint8)
    mask[rows, columns] = 1
    assert pixels(boundary(pack(mask, 12), 11, 9, 12), 11, 9, 12) == boundary_pixels(mask)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 1), (2, 2), (9, 8), (16, 31)], ids=str)
def test_boundary_of_random_masks(size: tuple[int, int]):
    height, width = size
    random = np.random.default_rng(size)
    for _ in range(20):
        mask = random_ids(random, height, width, [1])
        for stride in (width + 1, width + 8):
            bits = boundary(pack(mask, stride), width, height, stride)
            assert pixels(bits, width, height, stride) == boundary_pixels(mask)
            assert bits.bit_count() == len(boundary_pixels(mask))  # nothing between the rows


@pytest.mark.parametrize("radius", range(1, 21))
def test_dilation_of_a_pixel_is_the_disk(radius: int):
    side = 2 * radius + 3
    stride, middle = side + radius, radius + 1
    found = pixels(dilate(1 << middle * stride + middle, radius, stride), side, side, stride)
    assert found == {
        (y, x) for y in range(side) for x in range(side) if (y - middle) ** 2 + (x - middle) ** 2 <= radius**2
    }


@pytest.mark.parametrize("radius", [1, 2, 4, 8])
@pytest.mark.parametrize("size", [(1, 1), (1, 20), (20, 1), (17, 23)], ids=str)
def test_dilation_of_random_masks_keeps_rows_apart(size: tuple[int, int], radius: int):
    height, width = size
    random = np.random.default_rng((*size, radius))
    for share in (0.005, 0.02, 0.3):
        mask = random.random(size) < share
        mask[random.integers(height), [0, -1]] = True  # at both ends of a row, next to the gap
        stride = width + radius
        assert pixels(dilate(pack(mask, stride), radius, stride), width, height, stride) == {
            (y, x)
            for y in range(height)
            for x in range(width)
            if any((y - v) ** 2 + (x - u) ** 2 <= radius**2 for v, u in marked(mask))
        }
