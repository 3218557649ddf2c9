"""Frames of a clip: size, filtering, order of t, y, x, and independence of other frames."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from maskvos.learning.clip_features import encode_clip, grid_size, read_clip
from maskvos.networks.encoder import Features
from maskvos.networks.images import normalise
from maskvos.storage.frames import Clip


class Store:
    """Frames in memory under the frame store's interface."""

    def __init__(self, frames):
        self.frames = frames

    def read(self, index):
        return self.frames[index]


def patches(images):
    """A stand-in for E: the mean colour of each 8 x 8 patch as key, twice that as trunk."""
    means = torch.nn.functional.avg_pool2d(images, 8)
    return Features(means, 2 * means, means, means)


@pytest.mark.parametrize(
    ("frame", "short_side", "grid"),
    [
        ((480, 854), 256, (256, 456)),
        ((720, 1280), 256, (256, 456)),
        ((854, 480), 256, (456, 256)),
        ((30, 200), 32, (32, 216)),
    ],
)
def test_grid_size(frame, short_side, grid):
    assert grid_size(*frame, short_side) == grid


def test_resized_like_an_antialiased_filter():
    frames = np.random.default_rng(0).integers(0, 256, (5, 48, 80, 3), dtype=np.uint8)
    images = read_clip(Store(frames), Clip("a", ["x", "y"], 2, 48, 80), 32)
    assert images.shape == (2, 3, 32, 56) and images.dtype == torch.uint8
    for frame, image in zip(frames[2:4], images, strict=True):
        expected = np.asarray(Image.fromarray(frame).resize((56, 32), Image.Resampling.BILINEAR), int)
        assert np.abs(image.permute(1, 2, 0).numpy() - expected).max() <= 1


def test_frames_of_fitting_size_are_untouched():
    frames = np.random.default_rng(0).integers(0, 256, (3, 32, 40, 3), dtype=np.uint8)
    images = read_clip(Store(frames), Clip("a", ["x"], 1, 32, 40), 32)
    np.testing.assert_array_equal(images[0].permute(1, 2, 0).numpy(), frames[1])


@pytest.mark.parametrize("trunk", [False, True])
def test_features_lie_at_their_frame_row_and_column(trunk):
    images = torch.randint(0, 256, (35, 3, 24, 40), dtype=torch.uint8)  # more than two batches
    features = encode_clip(patches, images, trunk, torch.device("cpu"))
    assert features.shape == (35, 3, 5, 3) and features.dtype == np.float32
    pixels = normalise(images).numpy() * (2 if trunk else 1)
    for frame, row, column in [(0, 0, 0), (34, 2, 4), (17, 1, 3), (16, 2, 0)]:
        patch = pixels[frame, :, 8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
        np.testing.assert_allclose(features[frame, row, column], patch.mean((1, 2)), atol=1e-4)


def test_store_is_only_asked_for_the_clips_frames():
    asked = []
    store = SimpleNamespace(read=lambda index: asked.append(index) or np.zeros((32, 32, 3), np.uint8))
    read_clip(store, Clip("a", ["x", "y", "z"], 7, 32, 32), 32)
    assert asked == [7, 8, 9]


def test_a_mirrored_border_is_cut_off_again_and_changes_only_what_the_encoder_pads():
    images = torch.randint(0, 256, (2, 3, 24, 40), dtype=torch.uint8)
    plain = encode_clip(patches, images, False, torch.device("cpu"))
    mirrored = encode_clip(patches, images, False, torch.device("cpu"), border=16)
    np.testing.assert_array_equal(mirrored, plain)  # an encoder without padding sees the same patches
