"""Crops stay inside their frames and show the scale that was asked for."""

import numpy as np

from maskvos.params.method import Cropping
from maskvos.training.cropping import random_crop, random_zoom

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


def test_zoom_stays_inside():
    rng = np.random.default_rng(2)
    for _ in range(100):
        top, left, side = random_zoom(rng, CROPPING)["zoom"].tolist()
        assert 0.5 <= side <= 1
        assert top >= 0
        assert top + side <= 1 + 1e-6
        assert left >= 0
        assert left + side <= 1 + 1e-6
