"""Materials and collages: no seam, colours of their own, patches."""

import numpy as np
import pytest

from maskvos.datasets.generator_rich_textures import _blob, make_collage, make_material
from maskvos.datasets.generator_scene import draw_outline


@pytest.mark.parametrize("seed", range(6))
def test_no_seam(seed: int) -> None:
    image = make_material(np.random.default_rng(seed), 128, 100).astype(float)
    assert image.shape == (128, 128, 3)
    for axis in (0, 1):
        within = np.abs(np.diff(image, axis=axis)).mean()
        across = np.abs(image.take(0, axis) - image.take(-1, axis)).mean()
        assert across < 1.6 * within + 1


def test_materials_have_colours_of_their_own() -> None:
    means = np.array([make_material(np.random.default_rng(seed), 64, 50).mean(axis=(0, 1)) for seed in range(12)])
    assert means.std(axis=0).min() > 20


@pytest.mark.parametrize(("seed", "radius"), [(0, 3), (1, 9), (2, 20), (3, 60)])
def test_a_blob_is_worked_out_where_it_can_be_alone(seed: int, radius: float) -> None:
    size, shift = 64, (13, 55)
    outline = draw_outline(np.random.default_rng(seed), (radius, radius))
    v, u = np.meshgrid(*[np.arange(-size // 2, size // 2, dtype=np.float32)] * 2, indexing="ij")
    whole = np.roll(outline.inside(0.0, v, u), shift, (0, 1))
    np.testing.assert_array_equal(_blob(outline, size, shift), whole)
    assert whole.any()


def test_a_collage_is_its_material_but_for_the_patches() -> None:
    plain = make_material(np.random.default_rng(5), 128, 100)
    covered = (make_collage(np.random.default_rng(5), 128, 100, 6, (0.05, 0.1)) != plain).any(axis=2)
    assert 0.01 < covered.mean() < 0.5
    np.testing.assert_array_equal(make_collage(np.random.default_rng(5), 128, 100, 0, (0.05, 0.1)), plain)
