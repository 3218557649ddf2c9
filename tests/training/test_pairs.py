"""Frames of the correspondence losses."""

from typing import ClassVar

import numpy as np

from maskvos.params import read_all_params
from maskvos.params.method import Cropping
from maskvos.storage.frames import Clip
from maskvos.training.pairs import PairSampler, draw_frames
from tests.training.cuts import seen


class Store:
    """One clip of twelve frames, behind another of five: red is the frame's number, green rises from left to right."""

    clips: ClassVar = [Clip(name, ["x"] * n, start, 64, 96) for name, n, start in (("a", 5, 0), ("b", 12, 5))]

    def read(self, index):
        image = np.zeros((64, 96, 3), dtype=np.uint8)
        image[..., 0], image[..., 1] = index, np.arange(96) * 2
        return image


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


def test_a_sample_holds_t_the_next_frame_and_a_distant_one_under_one_crop():
    """Eq. 11 and 13: the order of the frames decides which meets which."""
    settings = read_all_params("params.yaml").correspondence.model_copy(update={"min_distance": 5})
    sampler = PairSampler(Store(), settings, Cropping(short_side=[64, 64], crop=32, zoom=[0.5, 1.0]))
    flips = set()
    for seed in range(40):
        sample = seen(sampler(1, np.random.default_rng(seed)), 32)
        first, second, distant = (int(frame[0, 0, 0]) for frame in sample["frames"])
        assert sample["frames"].shape == (3, 3, 32, 32)
        assert 5 <= first == second - 1
        assert abs(distant - second) >= 5
        ramps = sample["frames"][:, 1].float()
        assert (ramps == ramps[0]).all()
        flips.add((bool(ramps[0, 0, 0] > ramps[0, 0, -1]), bool(sample["zoom_flip"])))
    assert len(flips) == 4  # the crop's flip and Phi's are drawn apart
