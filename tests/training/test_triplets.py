"""Frames and pseudo masks of the mask embedding loss."""

from typing import ClassVar

import numpy as np
import pytest
import torch

from maskvos.errors import UserError
from maskvos.params import read_all_params
from maskvos.params.method import Cropping
from maskvos.storage.frames import Clip
from maskvos.training.triplets import PREFIX, TripletSamples, draw_triplet
from tests.tiny import correspondence
from tests.training.cuts import seen


class Store:
    """Three clips of ten frames; the frame's number is its colour."""

    clips: ClassVar = [Clip(name, [f"{n:05d}" for n in range(10)], 10 * k, 64, 96) for k, name in enumerate("abc")]

    def read(self, index):
        return np.full((64, 96, 3), index, dtype=np.uint8)


@pytest.fixture
def settings():
    cropping = Cropping(short_side=[64, 64], crop=64, zoom=[0.5, 1.0])
    return read_all_params("params.yaml").segmentation.model_copy(
        update={"cropping": cropping, "objects": 2, "batch": 2, "epochs": 4, "min_area": 0.01, "max_gap": [2, 4]}
    )


def pseudo_masks():
    masks = {clip.name: torch.zeros(10, 8, 12, dtype=torch.uint8) for clip in Store.clips}
    masks["a"][:, :4] = 1
    masks["a"][:, 4:6] = 2
    masks["c"][:, :, 6:] = 1
    return masks


def test_triplets_are_in_order_with_bounded_gaps_and_both_directions():
    rng = np.random.default_rng(0)
    directions = set()
    for _ in range(500):
        first, second, third = draw_triplet(rng, 10, 3)
        gaps = (second - first, third - second)
        assert (gaps[0] > 0) == (gaps[1] > 0)
        assert all(1 <= abs(gap) <= 3 for gap in gaps)
        directions.add(gaps[0] > 0)
    assert directions == {True, False}
    assert sorted(draw_triplet(rng, 3, 5)) == [0, 1, 2]


def test_sample_holds_labels_and_validity_that_agree(settings):
    samples = TripletSamples(Store(), pseudo_masks(), settings, None, rounds=2, seed=0)
    first_slots = set()
    for number in range(20):
        sample = seen(samples[number], 64, "images")
        assert sample["images"].shape == (3, 3, 64, 64)
        clip = round(float(sample["images"][0, 0, 0, 0])) // 10
        assert clip in (0, 2), "clip b has no pseudo mask and must be replaced"
        slots = int(sample["valid"].sum())
        assert 1 <= slots <= (2 if clip == 0 else 1)
        assert sample["labels"].shape == (3, 64, 64)
        for slot in range(2):
            assert bool((sample["labels"][0] == slot + 1).any()) == bool(sample["valid"][slot])
        if slots == 2:  # cluster 1 lies above cluster 2
            rows = [(sample["labels"][0] == slot).any(dim=1).nonzero().float().mean() for slot in (1, 2)]
            first_slots.add(bool(rows[0] < rows[1]))
    assert first_slots == {True, False}  # which cluster comes first is drawn


def test_each_frame_comes_with_its_own_pseudo_mask(settings):
    """In frame n the cluster fills n + 1 tenths of the height: colour and mask name the same frame."""
    masks = {clip.name: torch.zeros(10, 10, 15, dtype=torch.uint8) for clip in Store.clips}
    for number in range(10):
        for labels in masks.values():
            labels[number, : number + 1] = 1
    samples = TripletSamples(Store(), masks, settings.model_copy(update={"min_area": 0.0}), None, rounds=1, seed=0)
    for number in range(30):
        sample = seen(samples[number], 64, "images")
        frames = sample["images"][:, 0, 0, 0].round() % 10
        heights = (sample["labels"] == 1).float().mean(dim=(1, 2))
        torch.testing.assert_close(heights, (frames + 1) / 10, atol=1 / 64, rtol=0)


def test_samples_are_a_pure_function_of_their_number(settings):
    one = TripletSamples(Store(), pseudo_masks(), settings, None, rounds=2, seed=0)
    other = TripletSamples(Store(), pseudo_masks(), settings, None, rounds=2, seed=0)
    for number in (5, 1, 7):
        first, second = one[number], other[number]
        assert all(np.array_equal(first[name], second[name]) for name in first)


def test_the_largest_gap_grows_over_all_rounds(settings):
    samples = TripletSamples(Store(), pseudo_masks(), settings, None, rounds=2, seed=0)

    def largest(step):
        drawn = [np.asarray(samples.make(0, np.random.default_rng(k), step)["cuts"]) for k in range(200)]
        return max(int(np.abs(np.diff(cuts[:, 0, 0, 0].astype(int))).max()) for cuts in drawn)

    assert largest(0) == 2
    assert largest(samples.total_steps - 1) == 4


@pytest.mark.parametrize(
    ("regime", "names"),
    [("contrastive", {"zoom", "zoom_flip"}), ("photometric", {"colours"}), ("cycle", {"zoom", "zoom_flip", "edges"})],
)
def test_the_joint_losses_bring_their_regimes_sample(settings, regime, names):
    samples = TripletSamples(Store(), pseudo_masks(), settings, correspondence(regime), rounds=2, seed=0)
    plain = TripletSamples(Store(), pseudo_masks(), settings, None, rounds=2, seed=0)
    frames = {"frames"} if regime == "photometric" else {"cuts", "cut_side", "cut_flip"}
    assert set(samples[0]) - set(plain[0]) == {f"pair_{name}" for name in {*frames, *names}}
    pair = {name.removeprefix(PREFIX): value for name, value in samples[0].items() if name.startswith(PREFIX)}
    assert seen(pair, 64)["frames"].shape == (3, 3, 64, 64)  # the crop of this stage


def test_no_pseudo_mask_anywhere_is_an_error(settings):
    empty = {clip.name: torch.zeros(10, 8, 12, dtype=torch.uint8) for clip in Store.clips}
    with pytest.raises(UserError, match="nothing to train on"):
        TripletSamples(Store(), empty, settings, None, rounds=1, seed=0)
