"""Sizes, padding and label maps."""

import numpy as np
import pytest
import torch

from maskvos.inference.geometry import (
    pad_to_stride,
    plan_geometry,
    to_grid,
    to_labels,
    to_working,
    working_masks,
    working_picture,
)
from tests.inference.stubs import CPU


def test_working_resolution():
    assert plan_geometry(480, 854, None).working == (480, 854)
    assert plan_geometry(480, 854, 240).working == (240, 427)
    assert plan_geometry(480, 854, 240).grid == (30, 54)
    assert plan_geometry(300, 100, 50).working == (150, 50)


def test_a_picture_at_native_size_is_untouched():
    image = np.random.default_rng(0).integers(0, 256, (13, 21, 3), dtype=np.uint8)
    picture = working_picture(image, plan_geometry(13, 21, None), CPU)
    assert np.array_equal(picture[0].permute(1, 2, 0).numpy(), image)
    assert pad_to_stride(picture.float()).shape == (1, 3, 16, 24)


def test_cells_are_means_over_real_pixels_only():
    masks = torch.rand(2, 11, 18)
    cells = to_grid(masks)
    assert cells.shape == (2, 2, 3)
    for y in range(2):
        for x in range(3):
            expected = masks[:, 8 * y : 8 * y + 8, 8 * x : 8 * x + 8].mean((1, 2))
            torch.testing.assert_close(cells[:, y, x], expected)


def test_a_full_mask_stays_full_in_padded_cells():
    geometry = plan_geometry(11, 18, None)
    cells = to_grid(torch.ones(1, 11, 18))
    torch.testing.assert_close(cells, torch.ones(1, 2, 3))
    torch.testing.assert_close(to_working(cells, geometry), torch.ones(1, 11, 18))


def test_parts_of_padding_alone_repeat_the_one_beside_them():
    """11 x 18 pixels: the lower parts of the lower cells have three rows, the right ones of the last column none."""
    masks = torch.rand(2, 11, 18)
    parts = to_grid(masks, 8, 2)
    assert parts.shape == (2, 4, 6)
    for y, row in enumerate((0, 4, 8, 8)):
        for x, column in enumerate((0, 4, 8, 12, 16, 16)):
            expected = masks[:, row : row + 4, column : column + 4].mean((1, 2))
            torch.testing.assert_close(parts[:, y, x], expected)


def test_parts_are_enlarged_from_their_own_centres():
    geometry, parts = plan_geometry(11, 18, None), torch.rand(1, 4, 6)
    enlarged = to_working(parts, geometry)
    assert enlarged.shape == (1, 11, 18)
    between = parts[0, 0, 0] + (parts[0, 0, 1] - parts[0, 0, 0]) * 0.5 / 4  # pixel 2: half a pixel past the centre
    torch.testing.assert_close(enlarged[0, 0, 2], between)


def test_another_stride():
    geometry = plan_geometry(20, 35, None, 16)
    assert geometry.grid == (2, 3) and geometry.stride == 16
    masks = torch.rand(1, 20, 35)
    cells = to_grid(masks, 16)
    assert cells.shape == (1, 2, 3)
    torch.testing.assert_close(cells[0, 1, 2], masks[0, 16:, 32:].mean())
    enlarged = to_working(cells, geometry)
    assert enlarged.shape == (1, 20, 35)
    torch.testing.assert_close(enlarged[0, 0, 0], cells[0, 0, 0])
    between = cells[0, 0, 0] + (cells[0, 0, 1] - cells[0, 0, 0]) * 0.5 / 16  # pixel 8: half a pixel past the centre
    torch.testing.assert_close(enlarged[0, 0, 8], between)


@pytest.mark.parametrize("short_side", [None, 24])
def test_labels_come_back_at_original_size(short_side):
    ids = np.zeros((50, 70), np.uint8)
    ids[10:30, 10:40], ids[30:45, 35:60] = 5, 9
    geometry = plan_geometry(50, 70, short_side)
    masks = working_masks(ids, [5, 9], geometry, CPU)
    assert masks.shape == (2, *geometry.working)
    labels = to_labels(torch.cat([1 - masks.sum(0, keepdim=True), masks]), geometry)
    assert labels.shape == ids.shape
    back = np.array([0, 5, 9], np.uint8)[labels]
    assert (back == ids).mean() > (0.999 if short_side is None else 0.95)


def test_labels_are_the_argmax_and_ties_go_to_the_lowest():
    probabilities = torch.rand(4, 9, 7)
    labels = to_labels(probabilities, plan_geometry(9, 7, None))
    assert np.array_equal(labels, probabilities.argmax(0).numpy())
    assert not to_labels(torch.full((3, 9, 7), 0.3), plan_geometry(9, 7, None)).any()
