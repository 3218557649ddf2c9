"""Crops of frames and of label maps show the same place."""

import numpy as np
import torch

from maskvos.networks.resample import interpolation_matrix
from maskvos.params.method import Cropping
from maskvos.training.cropping import Crop, crop_image, crop_labels, random_crop, random_zoom

CROPPING = Cropping(short_side=[64, 96], crop=64, zoom=[0.5, 1.0])


def test_random_crop_stays_inside_and_shows_the_scale_that_was_asked_for():
    rng = np.random.default_rng(0)
    sides = []
    for _ in range(200):
        crop = random_crop(rng, 128, 200, CROPPING)
        assert 0 <= crop.top <= crop.top + crop.side <= 128
        assert 0 <= crop.left <= crop.left + crop.side <= 200
        sides.append(crop.side)
    # crop * short / U[64, 96] = 128 .. 85.3
    assert min(sides) >= 85
    assert max(sides) <= 128
    assert max(sides) - min(sides) > 30


def test_image_and_labels_agree():
    """A frame painted with its own label map: after the crop, colour and label name the same cell."""
    rng = np.random.default_rng(1)
    labels = torch.from_numpy(rng.integers(0, 4, size=(1, 8, 12)).astype(np.uint8))
    frame = np.repeat(np.repeat(labels[0].numpy() * 60, 16, axis=0), 16, axis=1)[..., None].repeat(3, axis=2)
    for flip in (False, True):
        crop = Crop(top=16, left=32, side=96, flip=flip, height=128, width=192)
        image = crop_image(frame, crop, 96)
        seen = crop_labels(labels, crop, 96)[0].numpy()
        inner = np.zeros((96, 96), dtype=bool)
        for row in range(0, 96, 16):  # cell borders are interpolated; their middles must agree to the pixel
            for column in range(0, 96, 16):
                inner[row + 6 : row + 10, column + 6 : column + 10] = True
        assert (image[0][inner] == 60 * seen[inner]).all()


def test_zoom_stays_inside():
    rng = np.random.default_rng(2)
    for _ in range(100):
        top, left, side = random_zoom(rng, CROPPING)["zoom"].tolist()
        assert 0.5 <= side <= 1
        assert top >= 0
        assert top + side <= 1 + 1e-6
        assert left >= 0
        assert left + side <= 1 + 1e-6


def test_labels_are_those_of_the_largest_bilinear_weight():
    """Every class's map resampled whole, as a reference."""
    rng = np.random.default_rng(3)
    labels = torch.from_numpy(rng.integers(0, 5, size=(2, 7, 11)).astype(np.uint8))
    for _ in range(10):
        crop = random_crop(rng, 128, 200, CROPPING)
        found = crop_labels(labels, crop, 48)
        assert found.shape == (2, 48, 48) and found.dtype == torch.uint8
        rows, columns = (
            interpolation_matrix(
                torch.tensor([start / whole]), torch.tensor([crop.side / whole]), torch.tensor([flip]), cells, 48
            )[0].double()
            for start, whole, flip, cells in ((crop.top, 128, False, 7), (crop.left, 200, crop.flip, 11))
        )
        one_hot = torch.nn.functional.one_hot(labels.long(), 5).permute(0, 3, 1, 2).double()
        weights = rows @ one_hot @ columns.T
        chosen = weights.gather(1, found.long()[:, None])[:, 0]
        torch.testing.assert_close(chosen, weights.amax(dim=1), atol=1e-6, rtol=0)
