"""Textures: the same colours everywhere, no seam, patterns that differ."""

import numpy as np
import pytest

from maskvos.datasets.generator_textures import KINDS, make_palette, make_texture


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_the_same_colours(kind: str) -> None:
    palette = make_palette(np.random.default_rng(0))
    texture = make_texture(np.random.default_rng(1), kind, palette, 64, 6.0)
    found, counts = np.unique(texture.reshape(-1, 3), axis=0, return_counts=True)
    expected, share = np.unique(palette, axis=0, return_counts=True)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(counts, share * 64 * 64 // 256)


@pytest.mark.parametrize("kind", KINDS)
def test_no_seam(kind: str) -> None:
    palette = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    texture = make_texture(np.random.default_rng(2), kind, palette, 128, 12.0)[..., 0].astype(float)
    within = np.abs(np.diff(texture, axis=0)).mean()
    across = np.abs(texture[0] - texture[-1]).mean()
    assert across < 1.5 * within


def test_contrast_of_palettes() -> None:
    for seed in range(20):
        grey = make_palette(np.random.default_rng(seed)).mean(axis=1)
        assert grey.std() > 20
