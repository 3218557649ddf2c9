"""J and F against plain whole-image loops, on random masks."""

import numpy as np
import pytest

from maskvos.evaluation.measures import boundary_radius, measure_objects
from tests.evaluation.masks import random_ids
from tests.evaluation.reference import boundary_f, jaccard

SIZES = [(1, 1), (1, 9), (7, 1), (2, 2), (13, 17), (24, 31), (40, 40), (33, 150)]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_measures_equal_whole_image_reference(size: tuple[int, int]):
    random = np.random.default_rng(size)
    for _ in range(20):
        truth, prediction = (random_ids(random, *size, [1, 2, 5]) for _ in range(2))
        measured = measure_objects(truth, prediction, [1, 2, 3, 5])  # 3 is in neither
        for identity, (similarity, accuracy) in measured.items():
            assert similarity == pytest.approx(jaccard(truth == identity, prediction == identity), abs=1e-12)
            assert accuracy == pytest.approx(boundary_f(truth == identity, prediction == identity), abs=1e-12)


@pytest.mark.parametrize("size", [(37, 53), (61, 40)], ids=str)
def test_ten_objects_side_by_side(size: tuple[int, int]):
    random = np.random.default_rng(size)
    ids = [*range(1, 10), 254]
    for _ in range(5):
        truth, prediction = (random_ids(random, *size, random.permutation(ids).tolist()) for _ in range(2))
        measured = measure_objects(truth, prediction, ids)
        assert list(measured) == ids
        for identity, found in measured.items():
            masks = truth == identity, prediction == identity
            assert found == pytest.approx((jaccard(*masks), boundary_f(*masks)), abs=1e-12)


def test_small_objects_in_each_corner_of_a_large_image():
    """Where the crop meets the image's border, and a radius of several pixels reaches beyond it."""
    random = np.random.default_rng(0)
    for rows in (slice(0, 30), slice(90, 120), slice(30, 70)):
        for columns in (slice(0, 40), slice(220, 260), slice(90, 150)):
            truth, prediction = np.zeros((2, 120, 260), np.uint8)
            for mask in (truth, prediction):
                patch = mask[rows, columns]
                patch[:] = random_ids(random, *patch.shape, [3, 1, 2])
            for identity, found in measure_objects(truth, prediction, (1, 2, 3)).items():
                masks = truth == identity, prediction == identity
                assert found == pytest.approx((jaccard(*masks), boundary_f(*masks)), abs=1e-12)


def test_shifted_disks_with_a_radius_above_one():
    y, x = np.mgrid[:120, :260]
    for shift in range(9):
        truth = ((y - 50) ** 2 + (x - 60) ** 2 < 400).astype(np.uint8)
        prediction = ((y - 50 - shift) ** 2 + (x - 60 + shift) ** 2 < 350).astype(np.uint8)
        assert measure_objects(truth, prediction, [1])[1][1] == pytest.approx(boundary_f(truth, prediction), abs=1e-12)


def test_conventions_for_empty_masks():
    empty, full, some = np.zeros((8, 8), np.uint8), np.ones((8, 8), np.uint8), np.eye(8, dtype=np.uint8)
    assert measure_objects(empty, empty, [1])[1] == (1.0, 1.0)
    assert measure_objects(some, empty, [1])[1] == (0.0, 0.0)
    assert measure_objects(empty, some, [1])[1] == (0.0, 0.0)
    assert measure_objects(full, full, [1])[1] == (1.0, 1.0)  # neither has a boundary


@pytest.mark.parametrize(("size", "radius"), [((480, 854), 8), ((240, 432), 4), ((600, 800), 8), ((720, 1280), 12)])
def test_radius_is_a_share_of_the_diagonal_rounded_up(size: tuple[int, int], radius: int):
    assert boundary_radius(*size) == radius
