"""Frames of the correspondence losses."""

import numpy as np

from maskvos.training.pairs import draw_frames


def test_neighbours_and_distance():
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(2000):
        t, anchor, distant = draw_frames(rng, 12, 5)
        assert anchor == t + 1
        assert abs(distant - anchor) >= 5
        assert min(t, distant) >= 0
        assert max(anchor, distant) <= 11
        seen.add((anchor, distant))
    allowed = {(a, d) for a in range(1, 12) for d in range(12) if abs(a - d) >= 5}
    assert seen == allowed


def test_a_short_clip_takes_the_farthest_frame():
    rng = np.random.default_rng(0)
    for _ in range(50):
        _, anchor, distant = draw_frames(rng, 4, 5)
        assert abs(distant - anchor) == max(anchor, 3 - anchor)
