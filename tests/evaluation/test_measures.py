"""J and F against plain whole-image loops, on random masks."""

import numpy as np
import pytest

from maskvos.evaluation.measures import boundary, boundary_radius, measure_object
from tests.evaluation.masks import random_ids
from tests.evaluation.reference import boundary_f, boundary_pixels, jaccard

SIZES = [(1, 1), (1, 9), (7, 1), (2, 2), (13, 17), (24, 31), (40, 40), (33, 150)]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_measures_equal_whole_image_reference(size: tuple[int, int]):
    random = np.random.default_rng(size)
    for _ in range(20):
        truth, prediction = (random_ids(random, *size, [1, 2, 5]) for _ in range(2))
        for identity in (1, 2, 3, 5):  # 3 is in neither
            similarity, accuracy = measure_object(truth, prediction, identity)
            assert similarity == pytest.approx(jaccard(truth == identity, prediction == identity), abs=1e-12)
            assert accuracy == pytest.approx(boundary_f(truth == identity, prediction == identity), abs=1e-12)


def test_shifted_disks_with_a_radius_above_one():
    y, x = np.mgrid[:120, :260]
    for shift in range(9):
        truth = ((y - 50) ** 2 + (x - 60) ** 2 < 400).astype(np.uint8)
        prediction = ((y - 50 - shift) ** 2 + (x - 60 + shift) ** 2 < 350).astype(np.uint8)
        assert measure_object(truth, prediction, 1)[1] == pytest.approx(boundary_f(truth, prediction), abs=1e-12)


@pytest.mark.parametrize("rows", [slice(0, 4), slice(5, 9), slice(0, 9), slice(3, 6)], ids=str)
@pytest.mark.parametrize("columns", [slice(0, 3), slice(7, 11), slice(0, 11), slice(4, 7)], ids=str)
def test_boundary_at_the_borders(rows: slice, columns: slice):
    mask = np.zeros((9, 11), np.uint8)
    mask[rows, columns] = 1
    assert {tuple(pixel) for pixel in np.argwhere(boundary(mask)).tolist()} == boundary_pixels(mask)


def test_conventions_for_empty_masks():
    empty, full, some = np.zeros((8, 8), np.uint8), np.ones((8, 8), np.uint8), np.eye(8, dtype=np.uint8)
    assert measure_object(empty, empty, 1) == (1.0, 1.0)
    assert measure_object(some, empty, 1) == (0.0, 0.0)
    assert measure_object(empty, some, 1) == (0.0, 0.0)
    assert measure_object(full, full, 1) == (1.0, 1.0)  # neither has a boundary


@pytest.mark.parametrize(("size", "radius"), [((480, 854), 8), ((240, 432), 4), ((600, 800), 8), ((720, 1280), 12)])
def test_radius_is_a_share_of_the_diagonal_rounded_up(size: tuple[int, int], radius: int):
    assert boundary_radius(*size) == radius
