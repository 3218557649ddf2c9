"""Resampling by matrices against bilinear interpolation written as loops."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as functional

from maskvos.networks.resample import enlarge, interpolation_matrix, resample


def read(axis, position):
    """Linear interpolation between pixel centres, clamped at the borders."""
    position = min(max(position, 0.0), len(axis) - 1.0)
    below = math.floor(position)
    above = min(below + 1, len(axis) - 1)
    return axis[below] * (above - position if above > below else 1.0) + axis[above] * (position - below)


def reference(maps, boxes, flips, size):
    """(B, C, H, W) maps read at ``size`` pixel centres of each (top, left, height, width) box."""
    result = np.zeros((*maps.shape[:2], *size))
    for b, (top, left, tall, wide) in enumerate(boxes):
        for c in range(maps.shape[1]):
            for y in range(size[0]):
                v = (y + 0.5) / size[0]
                v = 1 - v if flips[b][0] else v
                row = (top + tall * v) * maps.shape[2] - 0.5
                for x in range(size[1]):
                    u = (x + 0.5) / size[1]
                    u = 1 - u if flips[b][1] else u
                    column = (left + wide * u) * maps.shape[3] - 0.5
                    result[b, c, y, x] = read([read(line, column) for line in maps[b, c]], row)
    return result


def matrices(boxes, flips, source, target):
    columns = torch.tensor(boxes)
    backwards = torch.tensor(flips)
    rows = interpolation_matrix(columns[:, 0], columns[:, 2], backwards[:, 0], source[0], target[0])
    return rows, interpolation_matrix(columns[:, 1], columns[:, 3], backwards[:, 1], source[1], target[1])


@pytest.mark.parametrize("target", [(5, 7), (6, 9), (13, 20)])
def test_boxes_and_flips_equal_plain_loops(target):
    random = np.random.default_rng(0)
    maps = random.normal(size=(4, 2, 6, 9))
    length = random.uniform(0.2, 1, (4, 2))
    boxes = np.concatenate([(1 - length) * random.uniform(0, 1, (4, 2)), length], axis=1).tolist()
    flips = [(False, False), (False, True), (True, False), (True, True)]
    rows, columns = matrices(boxes, flips, (6, 9), target)
    found = resample(torch.from_numpy(maps), rows, columns)
    np.testing.assert_allclose(found, reference(maps, boxes, flips, target), atol=1e-5)
    np.testing.assert_allclose(rows.sum(dim=-1), 1, atol=1e-5)
    np.testing.assert_allclose(columns.sum(dim=-1), 1, atol=1e-5)


def test_whole_axis_at_its_own_size_is_the_identity_and_a_flip_is_a_flip():
    maps = torch.randn(2, 3, 5, 8)
    boxes = [(0.0, 0.0, 1.0, 1.0)] * 2
    rows, columns = matrices(boxes, [(False, False), (False, True)], (5, 8), (5, 8))
    found = resample(maps, rows, columns)
    torch.testing.assert_close(found[0], maps[0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found[1], maps[1].flip(-1), atol=1e-5, rtol=1e-5)


def test_grid_sample_agrees_in_values_and_gradients():
    maps = torch.randn(1, 2, 6, 9, requires_grad=True)
    box = [(0.1, 0.25, 0.6, 0.5)]
    weights = torch.randn(1, 2, 4, 5)
    rows, columns = matrices(box, [(False, False)], (6, 9), (4, 5))
    found = resample(maps, rows, columns)
    (gradient,) = torch.autograd.grad((found * weights).sum(), maps)
    v = 2 * (0.1 + 0.6 * (torch.arange(4) + 0.5) / 4) - 1
    u = 2 * (0.25 + 0.5 * (torch.arange(5) + 0.5) / 5) - 1
    grid = torch.stack(torch.meshgrid(u, v, indexing="xy"), dim=-1)[None]
    expected = functional.grid_sample(maps, grid, align_corners=False, padding_mode="border")
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    (expected_gradient,) = torch.autograd.grad((expected * weights).sum(), maps)
    torch.testing.assert_close(gradient, expected_gradient, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("factor", [2, 4, 8])
@pytest.mark.parametrize("size", [(3, 5), (1, 4)])
def test_enlarge_equals_interpolate(factor, size):
    maps = torch.randn(2, 3, *size, requires_grad=True)
    found = enlarge(maps, factor)
    expected = functional.interpolate(maps, scale_factor=factor, mode="bilinear", align_corners=False)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    weights = torch.randn_like(expected)
    (gradient,) = torch.autograd.grad((found * weights).sum(), maps)
    (expected_gradient,) = torch.autograd.grad((expected * weights).sum(), maps)
    torch.testing.assert_close(gradient, expected_gradient, atol=1e-4, rtol=1e-4)


def test_float32_under_autocast():
    maps = torch.randn(1, 2, 4, 5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = enlarge(maps, 4)
    assert torch.equal(found, enlarge(maps, 4))
