"""Crops of a batch: what torch's antialiased interpolation shows of each cut, whatever lies beside it."""

import numpy as np
import pytest
import torch
import torch.nn.functional as functional

from maskvos.params.method import Cropping
from maskvos.storage.frames import Clip
from maskvos.training.batch_cropping import cut_frames, largest_cut, see_cuts
from maskvos.training.cropping import Crop, random_crop
from tests.training.cuts import batched

CROPPING = Cropping(short_side=[64, 96], crop=64, zoom=[0.5, 1.0])


def frame(number):
    return np.random.default_rng(number).integers(0, 256, (70, 100, 3), dtype=np.uint8)


@pytest.mark.parametrize("size", [16, 33, 48, 64])  # shrunk by up to 4, kept and enlarged
def test_a_batch_shows_each_crop_as_interpolate_does(size):
    crops = [Crop(3, 20, 64, False, 70, 100), Crop(0, 0, 48, True, 70, 100), Crop(25, 60, 33, True, 70, 100)]
    batch = batched([cut_frames(frame, [4 * clip, 4 * clip + 1], crop, 64) for clip, crop in enumerate(crops)])
    assert batch["cuts"].dtype == torch.uint8
    found = see_cuts(batch | {"zoom": 7}, size, "frames")
    assert set(found) == {"frames", "zoom"}
    assert found["frames"].shape == (3, 2, 3, size, size) and found["frames"].dtype == torch.float32
    for clip, crop in enumerate(crops):
        for place in range(2):
            image = torch.from_numpy(frame(4 * clip + place)).permute(2, 0, 1)[None].double()
            cut = image[..., crop.top : crop.top + crop.side, crop.left : crop.left + crop.side]
            expected = functional.interpolate(cut, (size, size), mode="bilinear", antialias=True)[0]
            expected = expected.flip(-1) if crop.flip else expected
            torch.testing.assert_close(found["frames"][clip, place].double(), expected, atol=2e-3, rtol=0)


def test_nothing_beside_the_cut_is_looked_at():
    batch = batched([cut_frames(frame, [0], Crop(5, 5, 40, False, 70, 100), 64)])
    assert int(batch["cuts"][:, :, 40:].max()) == int(batch["cuts"][:, :, :, 40:].max()) == 0
    spoilt = batch | {"cuts": batch["cuts"].clone()}
    spoilt["cuts"][:, :, 40:], spoilt["cuts"][:, :, :, 40:] = 255, 255
    one, other = (see_cuts(b, 50, "frames")["frames"] for b in (batch, spoilt))
    assert torch.equal(one, other)


def test_cuts_write_all_of_the_memory_they_are_given():
    """It held another batch before."""
    cuts = cut_frames(frame, [0, 1], Crop(5, 7, 40, False, 70, 100), 64)["cuts"]
    place = np.full(cuts.shape, 255, np.uint8)
    cuts.copy_to(place)
    assert not place[:, 40:].any() and not place[:, :, 40:].any()
    for found, number in zip(place, (0, 1), strict=True):
        np.testing.assert_array_equal(found[:40, :40], frame(number)[5:45, 7:47])
    np.testing.assert_array_equal(np.asarray(cuts), place)


def test_a_batch_without_cuts_comes_back_as_it_is():
    batch = {"frames": torch.zeros(2)}
    assert see_cuts(batch, 8, "frames") is batch


@pytest.mark.parametrize("cropping", [CROPPING, Cropping(short_side=[200, 256], crop=96, zoom=[0.5, 1.0])])
def test_there_is_room_for_every_crop_and_no_more(cropping):
    sizes = [(128, 200), (60, 90), (90, 60)]
    clips = [Clip(str(n), ["x"], n, height, width) for n, (height, width) in enumerate(sizes)]
    rng = np.random.default_rng(0)
    sides = [random_crop(rng, *size, cropping).side for size in sizes for _ in range(500)]
    room = largest_cut(clips, cropping)
    assert max(sides) <= room <= max(sides) + 2


def test_there_is_room_where_the_scale_is_fixed():
    """Multiplied and divided in another order this rounds to 7."""
    cropping = Cropping(short_side=[624, 624], crop=40, zoom=[0.5, 1.0])
    side = random_crop(np.random.default_rng(0), 117, 200, cropping).side
    assert side == largest_cut([Clip("a", ["x"], 0, 117, 200)], cropping) == 8
