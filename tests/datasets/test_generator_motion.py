"""Motion: coordinates follow their definition, excursions leave and come back."""

import numpy as np

from maskvos.datasets.generator_motion import Excursion, Motion, Wave


def still(size: tuple[int, ...]) -> Wave:
    return Wave(np.zeros(size), np.ones(size), np.zeros(size))


def test_excursion_is_away_only_for_a_while() -> None:
    excursion = Excursion(np.array([0.0, 100.0]), (10, 14), 5)
    np.testing.assert_array_equal(excursion.at(5), [0, 0])
    np.testing.assert_array_equal(excursion.at(12), [0, 100])
    np.testing.assert_array_equal(excursion.at(19), [0, 0])
    assert 0 < excursion.at(17)[1] < 100


def test_coordinates_of_a_rigid_motion() -> None:
    zoom, turn = Wave(np.array([0.3]), np.array([0.4]), np.array([0.2])), Wave(*np.array([[0.5], [0.3], [1.0]]))
    motion = Motion(
        np.array([20.0, 30.0]), still((2,)), 0.7, turn, zoom, np.array([1.0, -2.0]), still((2, 3)), np.ones((2, 3, 2))
    )
    v, u = motion.coordinates(4, np.arange(50)[:, None], np.arange(60)[None])
    angle = 0.7 + 0.5 * np.sin(0.3 * 4 + 1.0)
    scale = np.exp(0.3 * np.sin(0.4 * 4 + 0.2))
    forward = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    for row, column in ((0, 0), (17, 40), (49, 59)):
        back = forward @ np.array([v[row, column], u[row, column]]) + np.array([24.0, 22.0])
        np.testing.assert_allclose(back, [row, column], atol=1e-3)
