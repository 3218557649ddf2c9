"""DINO's crops: shapes, purity, ranges of boxes, colours against PIL-like references."""

import colorsys
import pickle

import numpy as np
import pytest
import torch

from maskvos.training import multicrop
from maskvos.training.multicrop import MultiCrop, View, crop, random_box, turn_hue
from maskvos.training.order import Samples, random_stream
from tests.tiny import backbone_pretraining


def frame(index=0, height=90, width=120):
    return np.random.default_rng(index).integers(0, 256, (height, width, 3), dtype=np.uint8)


def plain(monkeypatch):
    for name in ("FLIP", "JITTER", "GREY"):
        monkeypatch.setattr(multicrop, name, 0.0)


def test_shapes_of_a_collated_batch():
    make = MultiCrop(frame, backbone_pretraining(global_crops=2, global_size=64, local_crops=3, local_size=32))
    batch = next(Samples(make, 5, 4, 0, "test").batches(0, 1, workers=0, pinned=False))
    assert batch["global_crops"].shape == (4, 2, 3, 64, 64)
    assert batch["local_crops"].shape == (4, 3, 3, 32, 32)
    assert batch["global_crops"].dtype == batch["local_crops"].dtype == torch.uint8


def test_without_local_crops_there_is_no_such_entry():
    assert set(MultiCrop(frame, backbone_pretraining(local_crops=0))(0, random_stream(0, "test"))) == {"global_crops"}


def test_pure_function_of_the_generator_and_untouched_global_state():
    make = MultiCrop(frame, backbone_pretraining())
    np.random.seed(3)  # noqa: NPY002
    before, original = np.random.get_state()[1].copy(), frame(1)  # noqa: NPY002
    first = make(1, random_stream(0, "test", 7))
    np.random.seed(4)  # noqa: NPY002
    again = pickle.loads(pickle.dumps(make))(1, random_stream(0, "test", 7))
    other = make(1, random_stream(0, "test", 8))
    for name in first:
        np.testing.assert_array_equal(first[name], again[name])
        assert not np.array_equal(first[name], other[name])
    np.random.seed(3)  # noqa: NPY002
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    np.testing.assert_array_equal(frame(1), original)


def test_a_frame_is_decoded_once_and_never_written_to():
    calls = []
    stored = frame()

    def read(index):
        calls.append(index)
        return stored

    MultiCrop(read, backbone_pretraining())(9, random_stream(0, "test"))
    assert calls == [9]
    np.testing.assert_array_equal(stored, frame())


@pytest.mark.parametrize("scale", [(0.05, 0.14), (0.14, 1.0)])
@pytest.mark.parametrize("size", [(90, 160), (160, 90), (64, 64)])
def test_boxes_lie_inside_and_keep_area_and_ratio(scale, size):
    height, width = size
    generator = random_stream(0, "boxes")
    boxes = np.array([random_box(height, width, scale, generator) for _ in range(2000)])
    top, left, tall, wide = boxes.T
    assert (top >= 0).all() and (left >= 0).all() and (top + tall <= height).all() and (left + wide <= width).all()
    share = tall * wide / (height * width)
    assert share.min() > 0.9 * scale[0] and share.max() < 1.05 * scale[1]
    assert (wide / tall).min() > 0.7 and (wide / tall).max() < 1.42
    if scale[1] < 0.5:  # every box fits: the area is uniform
        assert share.mean() == pytest.approx(sum(scale) / 2, abs=0.003)
        assert np.log(wide / tall).mean() == pytest.approx(0, abs=0.02)


def test_where_nothing_fits_the_largest_centred_box_is_taken():
    assert random_box(20, 300, (1.0, 1.0), random_stream(0, "boxes")) == (0, 136, 20, 27)
    assert random_box(300, 20, (1.0, 1.0), random_stream(0, "boxes")) == (136, 0, 27, 20)


def test_crop_of_the_whole_frame_is_the_frame(monkeypatch):
    plain(monkeypatch)
    monkeypatch.setattr(multicrop, "RATIO", (1.0, 1.0))
    square = frame(0, 64, 64)
    view = View(64, (1.0, 1.0), blur=0.0, solarise=0.0, usual_side=64)
    np.testing.assert_array_equal(crop(square, view, random_stream(0, "crop")), square.transpose(2, 0, 1))
    monkeypatch.setattr(multicrop, "FLIP", 1.0)
    flipped = crop(square, view, random_stream(0, "crop"))
    np.testing.assert_array_equal(flipped, square[:, ::-1].transpose(2, 0, 1))
    monkeypatch.setattr(multicrop, "FLIP", 0.0)
    solarised = crop(square, View(64, (1.0, 1.0), 0.0, 1.0, 64), random_stream(0, "crop"))
    expected = np.where(square >= 128, 255 - square.astype(int), square)
    np.testing.assert_array_equal(solarised, expected.transpose(2, 0, 1))


def test_probabilities_of_the_views():
    make = MultiCrop(frame, backbone_pretraining(global_crops=3, local_crops=1))
    assert [(view.blur, view.solarise) for view in make._globals] == [(1.0, 0.0), (0.1, 0.2), (0.1, 0.2)]
    assert [(view.blur, view.solarise) for view in make._locals] == [(0.5, 0.0)]


def test_blur_smooths_as_much_as_its_side_asks(monkeypatch):
    plain(monkeypatch)
    monkeypatch.setattr(multicrop, "SIGMA", (1.0, 1.0))
    monkeypatch.setattr(multicrop, "RATIO", (1.0, 1.0))
    point = np.zeros((65, 65, 3), np.uint8)
    point[32, 32] = 255
    image = crop(point, View(65, (1.0, 1.0), 1.0, 0.0, 65), random_stream(0, "crop"))[0]
    expected = [255 * np.exp(-(d**2) / 2) / (2 * np.pi) for d in range(3)]
    np.testing.assert_allclose(image[32, 32:35], expected, atol=1.5)


@pytest.mark.parametrize("turn", [-0.1, 0.03, 0.1])
def test_hue_turns_as_colorsys_says(turn):
    image = frame(3, 12, 12)
    found = turn_hue(image.copy(), turn)
    step = round(turn * 256) / 256
    for pixel, turned in zip(image.reshape(-1, 3), found.reshape(-1, 3), strict=True):
        hue, saturation, value = colorsys.rgb_to_hsv(*(pixel / 255))
        expected = np.array(colorsys.hsv_to_rgb((hue + step) % 1, saturation, value)) * 255
        assert np.abs(turned - expected).max() < 8  # one of 256 steps of hue moves a channel by 6


class Scripted:
    """A generator that returns the given operation order and the given factor."""

    def __init__(self, operation, factor):
        self.operation, self.factor = operation, factor

    def permutation(self, count):
        return [self.operation]

    def uniform(self, low, high):
        assert low <= self.factor <= high
        return self.factor


@pytest.mark.parametrize(("operation", "factor"), [(0, 1.3), (0, 0.7), (1, 1.35), (1, 0.65), (2, 0.8), (2, 1.2)])
def test_brightness_contrast_saturation_equal_plain_arithmetic(operation, factor):
    image = frame(5, 20, 30)
    pixels = image.astype(np.float64)
    grey = np.round(pixels @ [0.299, 0.587, 0.114])
    other = {0: 0.0, 1: grey.mean(), 2: grey[..., None]}[operation]
    expected = np.clip(factor * pixels + (1 - factor) * other, 0, 255)
    found = multicrop.jitter(image, Scripted(operation, factor))
    assert np.abs(found - expected).max() <= 1.01
