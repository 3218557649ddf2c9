"""The scene in which an object leaves the frame."""

import numpy as np

from benchmarks.departed_object import FRAMES, SHOWN, draw


def test_one_disc_leaves_and_one_stays():
    areas = np.array([[(mask == number).sum() for number in (1, 2)] for _, mask in (draw(m, 0) for m in range(FRAMES))])
    assert (areas[0] > 3500).all()
    assert (areas[list(SHOWN), 0] == 0).all()
    assert (areas[list(SHOWN), 1] > 3500).all()


def test_each_seed_is_another_picture():
    assert (draw(3, 1)[0] == draw(3, 1)[0]).all()
    assert (draw(3, 1)[0] != draw(3, 2)[0]).any()
