"""Figures: a body and limbs that swing at their joints."""

import numpy as np

from maskvos.datasets.generator_figures import Limb, draw_figure
from maskvos.datasets.generator_motion import Wave

GRID = np.meshgrid(np.arange(-60.0, 60.0), np.arange(-60.0, 60.0), indexing="ij")


def still(angle: float = 0.0) -> Limb:
    return Limb(np.zeros(2), 40.0, 10.0, angle, Wave(np.zeros(1), np.zeros(1), np.zeros(1)))


def test_a_limb_is_within_its_width_of_its_axis_and_tapers() -> None:
    """Point by point from the definition: the distance to the nearest place of the axis against the width there."""
    covered = still().inside(0, *(axis.astype(np.float32) for axis in GRID))
    for v, u in np.random.default_rng(0).integers(-60, 60, (500, 2)):
        along = min(max(v, 0), 40)
        expected = np.hypot(u, v - along) < 10 * (1 - 0.6 * along / 40)
        assert covered[v + 60, u + 60] == expected


def test_a_limb_turns_with_its_angle() -> None:
    upright = still().inside(0, *GRID)
    turned = still(np.pi / 2).inside(0, *GRID)
    assert upright.any() and (turned ^ upright.T).mean() < 0.01


def test_a_figure_is_its_body_and_its_limbs_and_swings() -> None:
    figure = draw_figure(np.random.default_rng(3), 20.0, 4)
    covered = figure.inside(2.0, *GRID)
    parts = [figure.body.inside(2.0, *GRID), *(limb.inside(2.0, *GRID) for limb in figure.limbs)]
    np.testing.assert_array_equal(covered, np.logical_or.reduce(parts))
    assert len(figure.limbs) == 4 and 18 <= figure.radius <= 22
    assert (figure.inside(8.0, *GRID) ^ covered).any()
    assert covered.sum() > parts[0].sum()
