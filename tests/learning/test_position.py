"""The position code against the formula written out for one pixel at a time."""

import math

import numpy as np
import pytest

from maskvos.learning.position import position_code


def reference(place, grid, parts):
    values = []
    for position, length, channels in zip(place, grid, parts, strict=True):
        angle = 2 * math.pi * position / (length - 1) if length > 1 else 0.0
        half = math.ceil(channels / 2)
        angles = [angle / 10000 ** (2 * i / channels) for i in range(half)]
        values += ([math.sin(a) for a in angles] + [math.cos(a) for a in angles])[:channels]
    norm = math.sqrt(sum(v * v for v in values))
    return [v / norm for v in values]


@pytest.mark.parametrize(
    ("grid", "parts"),
    [((4, 3, 5), (42, 42, 44)), ((1, 2, 3), (2, 2, 4)), ((3, 1, 2), (2, 2, 5)), ((2, 2, 2), (170, 170, 172))],
)
def test_formula(grid, parts):
    code = position_code(*grid, sum(parts))
    assert code.shape == (*grid, sum(parts)) and code.dtype == np.float32
    for place in np.ndindex(*grid):
        np.testing.assert_allclose(code[place], reference(place, grid, parts), atol=1e-6)


def test_length_one_and_all_places_differ():
    code = position_code(5, 6, 7, 128).reshape(-1, 128).astype(np.float64)
    np.testing.assert_allclose(np.linalg.norm(code, axis=1), 1, atol=1e-6)
    distances = np.linalg.norm(code[:, None] - code[None], axis=-1) + np.eye(len(code))
    assert distances.min() > 1e-3


def test_each_part_follows_its_own_axis():
    code = position_code(4, 5, 6, 128)
    assert np.ptp(code[..., :42], axis=(1, 2)).max() < 1e-6  # t: the same all over a frame
    assert np.ptp(code[..., 42:84], axis=(0, 2)).max() < 1e-6
    assert np.ptp(code[..., 84:], axis=(0, 1)).max() < 1e-6
