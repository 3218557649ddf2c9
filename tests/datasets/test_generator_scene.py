"""Scenes: layer order, exact masks, textures that stick to their object."""

import numpy as np
import pytest

from maskvos.datasets.generator_scene import draw_scene


@pytest.mark.parametrize("seed", range(5))
def test_mask_is_that_of_the_drawn_frame_at_any_grid(seed: int) -> None:
    scene = draw_scene(np.random.default_rng(seed), (50, 70), 10, 3, late=True)
    for frame in (0, 7):
        image, ids = scene.draw(frame)
        assert image.shape == (50, 70, 3)
        assert image.dtype == ids.dtype == np.uint8
        np.testing.assert_array_equal(ids, scene.mask(frame))
        np.testing.assert_array_equal(ids[::4, ::4], scene.mask(frame, 4))


def test_mask_of_each_object_is_its_outline_minus_the_objects_above() -> None:
    scene = next(
        scene
        for scene in (draw_scene(np.random.default_rng(seed), (60, 80), 12, 3, late=False) for seed in range(50))
        if len(scene.layers) == 4
    )
    rows, columns = np.arange(60)[:, None], np.arange(80)[None]
    inside = [
        layer.outline.inside(5, *layer.motion.coordinates(5, rows, columns))
        for layer in scene.layers[1:]
        if layer.outline
    ]
    expected = np.zeros((60, 80), int)
    for y in range(60):
        for x in range(80):
            covering = [label for label, covers in enumerate(inside, 1) if covers[y, x]]
            expected[y, x] = covering[-1] if covering else 0
    np.testing.assert_array_equal(scene.mask(5), expected)


def test_texture_moves_with_the_object() -> None:
    """Two frames are compared where their texture coordinates agree: there the colours must agree too."""
    scene = draw_scene(np.random.default_rng(1), (96, 128), 24, 1, late=False)
    rows, columns = np.arange(96)[:, None], np.arange(128)[None]
    motion = scene.layers[1].motion
    first, second = (np.dstack(motion.coordinates(frame, rows, columns)) for frame in (3, 5))
    (image, ids), (later, later_ids) = scene.draw(3), scene.draw(5)
    same, other = [], []
    for y, x in np.argwhere(ids == 1)[::5]:
        distance = np.abs(second - first[y, x]).max(axis=2)
        row, column = np.unravel_index(np.argmin(distance), distance.shape)
        if distance[row, column] < 0.7 and later_ids[row, column] == 1:
            same.append(np.abs(image[y, x].astype(int) - later[row, column]).mean())
            other.append(np.abs(image[y, x].astype(int) - later[y, x]).mean())
    assert len(same) > 20
    assert np.mean(same) < 0.6 * np.mean(other)
