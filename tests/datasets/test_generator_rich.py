"""Rich scenes: exact masks, what is drawn over what, things without a label, the camera."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from maskvos.datasets.generator_rich import RichScene
from maskvos.datasets.generator_rich_scene import draw_rich_scene


def scene(seed: int, late: bool = False) -> RichScene:
    return draw_rich_scene(np.random.default_rng(seed), (50, 70), 12, 3, late)


@pytest.mark.parametrize("seed", range(4))
def test_mask_is_that_of_the_drawn_frame_at_any_grid(seed: int) -> None:
    drawn = scene(seed, late=True)
    image, ids = drawn.draw(7)
    assert image.shape == (50, 70, 3) and image.dtype == ids.dtype == np.uint8
    np.testing.assert_array_equal(ids, drawn.mask(7))
    np.testing.assert_array_equal(ids[::4, ::4], drawn.mask(7, 4))


def test_labels_are_consecutive_and_others_have_none() -> None:
    kinds = set()
    for seed in range(8):
        labels = [layer.label for layer in scene(seed).layers]
        assert labels[0] == 0 and scene(seed).layers[0].figure is None
        objects = [label for label in labels if label]
        assert objects == list(range(1, len(objects) + 1)) and len(scene(seed).radii) == len(objects)
        last = max(place for place, label in enumerate(labels) if label)
        kinds |= {("behind", 0 in labels[1 : labels.index(1)]), ("before", 0 in labels[last:])}
    assert len(kinds) == 4  # distractors behind the objects and in front of them, or none


def test_what_passes_in_front_hides_an_object() -> None:
    drawn = next(found for found in map(scene, range(50)) if found.layers[-1].label == 0)
    without = replace(drawn, layers=drawn.layers[:-1])
    for frame in range(12):
        hidden = drawn.mask(frame) != without.mask(frame)
        assert (drawn.mask(frame)[hidden] == 0).all()


def test_without_blur_light_and_noise_the_picture_is_the_texture_at_its_place() -> None:
    found = scene(2)
    plain = replace(
        found.look, shutter=0.0, blur=0.0, noise=0.0, gain=np.ones(3), swing=0.0, light=np.zeros(2), shadow=0.0
    )
    found = replace(found, look=plain)
    image, ids = found.draw(5)
    rows, columns = np.arange(50)[:, None], np.arange(70)[None]
    place = next(n for n, layer in enumerate(found.layers) if layer.label == 1)
    layer = found.layers[place]
    v, u = found.camera.coordinates(5, rows, columns)
    v, u = layer.motion.coordinates(5, v + 25, u + 35)
    side = layer.texture.shape[0]
    checked = 0
    for y, x in np.argwhere(ids == 1)[::7]:
        top, left = int(np.floor(v[y, x])), int(np.floor(u[y, x]))
        corners = [layer.texture[(top + dy) % side, (left + dx) % side].astype(int) for dy in (0, 1) for dx in (0, 1)]
        assert (np.min(corners, axis=0) - 1 <= image[y, x]).all() and (image[y, x] <= np.max(corners, axis=0) + 1).all()
        checked += 1
    assert checked > 5


def test_the_background_follows_the_camera_alone() -> None:
    """Between two frames the picture of a bare background is resampled by the camera's own coordinates."""
    found = scene(1)
    look = replace(found.look, shutter=0.0, noise=0.0, swing=0.0, blur=0.0)
    bare = replace(found, layers=found.layers[:1], look=look)
    rows, columns = np.arange(50)[:, None], np.arange(70)[None]
    (first, _), (second, _) = bare.draw(3), bare.draw(4)
    here = np.dstack(bare.camera.coordinates(3, rows, columns))
    there = np.dstack(bare.camera.coordinates(4, rows, columns))
    same = []
    for y, x in np.ndindex(50, 70):
        distance = np.abs(there - here[y, x]).max(axis=2)
        nearest = np.unravel_index(np.argmin(distance), distance.shape)
        if distance[nearest] < 0.2:
            same.append(np.abs(first[y, x].astype(int) - second[nearest]).mean())
    moved = np.abs(cv2.absdiff(first, second)).mean()
    assert len(same) > 100 and np.mean(same) < 0.7 * moved
