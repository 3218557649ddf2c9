"""Light and camera: shadows fall away from the light, surfaces face it."""

from dataclasses import replace

import numpy as np

from maskvos.datasets.generator_look import draw_look

LEFT = np.array([0.0, -1.0])


def thing() -> np.ndarray:
    covered = np.zeros((60, 80), bool)
    covered[20:40, 30:50] = True
    return covered


def test_a_shadow_falls_away_from_the_light() -> None:
    factor = replace(draw_look(np.random.default_rng(0)), light=LEFT, shadow=0.5).shadow_of(thing(), 10)
    assert factor.shape == (60, 80) and factor.min() > 0.49 and factor.max() <= 1
    assert factor[30, 50] < 0.7 < 0.95 < factor[30, 29]
    assert factor[5, 5] == 1


def test_the_lit_side_is_brighter() -> None:
    factor = replace(draw_look(np.random.default_rng(0)), light=LEFT).shade_of(thing(), 10)
    assert factor[30, 31] > 1.05 > 0.95 > factor[30, 48]
    assert factor.min() >= 0.65 and factor.max() <= 1.35


def test_brightness_swings_and_noise_is_that_of_the_frame() -> None:
    look = replace(
        draw_look(np.random.default_rng(1)), swing=0.2, rate=np.pi / 4, phase=0.0, gain=np.ones(3), noise=2.0
    )
    grey = np.full((40, 50, 3), 100, np.float32)
    means = [look.photograph(grey, frame).mean() for frame in (0, 2, 6)]
    np.testing.assert_allclose(means, [100, 120, 80], atol=0.5)
    np.testing.assert_array_equal(look.photograph(grey, 3), look.photograph(grey, 3))
    assert not np.array_equal(look.photograph(grey, 0), look.photograph(grey, 8))
