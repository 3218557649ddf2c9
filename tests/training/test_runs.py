"""Runs of frames: which frames, and what is dropped from their colours."""

from typing import ClassVar

import cv2
import numpy as np
import pytest

from maskvos.storage.frames import Clip
from maskvos.training.runs import CycleSampler, PhotometricSampler, draw_run, drop_channel
from tests.tiny import correspondence
from tests.training.cuts import seen

SIZE = 32


class Store:
    """One clip of ten frames; the frame's number is its brightness."""

    clips: ClassVar = [Clip("a", [f"{n:05d}" for n in range(10)], 0, 48, 64)]

    def read(self, index):
        return np.full((48, 64, 3), 10 * index, dtype=np.uint8)


@pytest.mark.parametrize(
    ("length", "count", "max_gap", "gaps"), [(10, 4, 2, {1, 2}), (10, 2, 3, {1, 2, 3}), (7, 4, 5, {1, 2})]
)
def test_runs_rise_at_one_gap_from_any_start(length, count, max_gap, gaps):
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(500):
        run = draw_run(rng, length, count, max_gap)
        steps = set(np.diff(run).tolist())
        assert len(run) == count and len(steps) == 1
        seen.add((run[0], *steps))
    assert seen == {(start, gap) for gap in gaps for start in range(length - gap * (count - 1))}


def test_a_clip_that_is_too_short_is_walked_to_and_fro():
    rng = np.random.default_rng(0)
    runs = {tuple(draw_run(rng, 3, 6, 2)) for _ in range(100)}
    assert runs == {(0, 1, 2, 1, 0, 1), (1, 2, 1, 0, 1, 2), (2, 1, 0, 1, 2, 1)}


def lab_of(image):
    return cv2.cvtColor(image.transpose(1, 2, 0).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


@pytest.mark.parametrize("channel", [1, 2])
def test_the_dropped_channel_is_neutral_and_the_others_stay(channel):
    random = np.random.default_rng(0)
    images = random.integers(90, 170, (2, 3, 16, 24), dtype=np.uint8)  # far from the borders of what RGB can show
    left, dropped = drop_channel(images, channel)
    assert left.shape == images.shape and left.dtype == np.uint8
    assert dropped.shape == (2, 1, 2, 3) and dropped.dtype == np.float32
    for before, after, kept in zip(images, left, dropped, strict=True):
        old, new = lab_of(before), lab_of(after)
        for other in {0, 1, 2} - {channel}:
            np.testing.assert_allclose(new[..., other], old[..., other], atol=1)
        assert np.abs(old[..., channel]).max() > 20
        assert np.abs(new[..., channel]).max() < 1
        for row in range(2):
            for column in range(3):
                assert kept[0, row, column] == pytest.approx(old[8 * row, 8 * column, channel] / 127, rel=1e-6)


@pytest.mark.parametrize("channel", [1, 2])
def test_nothing_of_the_dropped_channel_shows(channel):
    """Halves that differ in that channel alone look the same afterwards."""
    lab = np.full((8, 16, 3), (60, 15, 15), np.float32)
    lab[:, 8:, channel] = -20
    rgb = np.rint(255 * cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)).astype(np.uint8).transpose(2, 0, 1)[None]
    left, dropped = drop_channel(rgb, channel)
    assert np.abs(rgb[..., :8].astype(int) - rgb[..., 8:]).max() > 40
    assert np.abs(left[..., :8].astype(int) - left[..., 8:]).max() <= 2
    np.testing.assert_allclose(127 * dropped[0, 0, 0], [15, -20], atol=1)


def test_photometric_samples():
    settings = correspondence("photometric", photometric={"references": 2, "max_gap": 1, "radius": 1})
    sampler = PhotometricSampler(Store(), settings, settings.cropping)
    sample = sampler(0, np.random.default_rng(0))
    assert sample["frames"].shape == (3, 3, SIZE, SIZE) and sample["frames"].dtype == np.uint8
    assert sample["colours"].shape == (3, 1, SIZE // 8, SIZE // 8) and sample["colours"].dtype == np.float32
    levels = sample["frames"][:, 0, 0, 0].astype(int)
    assert (levels[1:] - levels[:-1]).tolist() == [10, 10]  # in order, the target last
    assert np.abs(sample["colours"]).max() < 1e-3  # grey has no colour


def test_cycle_samples():
    settings = correspondence("cycle", cycle={"frames": 4, "max_gap": 2, "edge_dropout": 0.1})
    sampler = CycleSampler(Store(), settings, settings.cropping)
    samples = [sampler(0, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    assert seen(samples[0], SIZE)["frames"].shape == (4, 3, SIZE, SIZE)
    assert samples[0]["zoom"].shape == (3,) and isinstance(samples[0]["zoom_flip"], bool)
    assert all(0 <= sample["edges"] < 2**63 for sample in samples)
    assert samples[0]["edges"] == samples[1]["edges"] != samples[2]["edges"]
    assert np.array_equal(samples[0]["cuts"], samples[1]["cuts"])
