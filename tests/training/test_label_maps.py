"""Label maps through a crop: the place that the frames show, the label of the largest weight, in a stacked batch."""

import numpy as np
import pytest
import torch

from maskvos.networks.resample import interpolation_matrix
from maskvos.params.method import Cropping
from maskvos.training.cropping import Crop, crop_image, random_crop
from maskvos.training.label_maps import cut_labels, label_areas, see_labels
from tests.training.cuts import batched

CROPPING = Cropping(short_side=[64, 96], crop=64, zoom=[0.5, 1.0])


def test_image_and_labels_agree():
    """A frame painted with its own label map: after the crop, colour and label name the same cell."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 4, size=(1, 8, 12)).astype(np.uint8)
    frame = np.repeat(np.repeat(labels[0] * 60, 16, axis=0), 16, axis=1)[..., None].repeat(3, axis=2)
    for flip in (False, True):
        crop = Crop(top=16, left=32, side=96, flip=flip, height=128, width=192)
        image = crop_image(frame, crop, 96)
        sample = cut_labels(labels, crop, (8, 12), np.arange(4, dtype=np.uint8))
        seen = see_labels(batched([sample]), 96)[0, 0].numpy()
        inner = np.zeros((96, 96), dtype=bool)
        for row in range(0, 96, 16):  # cell borders are interpolated; their middles must agree to the pixel
            for column in range(0, 96, 16):
                inner[row + 6 : row + 10, column + 6 : column + 10] = True
        assert (image[0][inner] == 60 * seen[inner]).all()


def test_labels_are_those_of_the_largest_bilinear_weight():
    """Every class's map resampled whole, as a reference; grids of two sizes in one batch."""
    rng = np.random.default_rng(3)
    grids = [rng.integers(0, 5, size=(2, *size)).astype(np.uint8) for size in ((7, 11), (9, 6))] * 5
    crops = [random_crop(rng, 128, 200, CROPPING) for _ in grids]
    every = np.arange(5, dtype=np.uint8)
    samples = [cut_labels(grid, crop, (9, 11), every) for grid, crop in zip(grids, crops, strict=True)]
    batch = see_labels(batched(samples), 48)
    assert batch.shape == (10, 2, 48, 48)
    for grid, crop, found in zip(grids, crops, batch, strict=True):
        rows, columns = (
            interpolation_matrix(
                torch.tensor([start / whole]), torch.tensor([crop.side / whole]), torch.tensor([flip]), cells, 48
            )[0].double()
            for start, whole, flip, cells in (
                (crop.top, 128, False, grid.shape[1]),
                (crop.left, 200, crop.flip, grid.shape[2]),
            )
        )
        one_hot = torch.nn.functional.one_hot(torch.from_numpy(grid).long(), 5).permute(0, 3, 1, 2).double()
        weights = rows @ one_hot @ columns.T
        chosen = weights.gather(1, found[:, None])[:, 0]
        torch.testing.assert_close(chosen, weights.amax(dim=1), atol=1e-5, rtol=0)


def test_labels_become_their_slots_after_the_comparison():
    """A label that is left out still takes its place: its neighbours do not grow into it."""
    grid = np.array([[[1, 1, 2, 2], [1, 1, 2, 2]]], np.uint8)
    crop = Crop(0, 0, 2, False, 2, 4)
    for slots, expected in (([0, 1, 0], [1]), ([0, 0, 2], [0]), ([0, 2, 1], [2])):
        sample = cut_labels(grid, crop, (2, 4), np.array(slots, np.uint8))
        assert see_labels(batched([sample]), 8).unique().tolist() == expected
    whole = cut_labels(grid, Crop(0, 1, 2, True, 2, 4), (2, 4), np.array([0, 0, 1], np.uint8))
    seen = see_labels(batched([whole]), 8)[0, 0]
    assert seen[:, :4].eq(1).all() and seen[:, 4:].eq(0).all()  # flipped


def test_a_batch_with_labels_keeps_them():
    labels = torch.ones(1, 3, 4, 4, dtype=torch.uint8)
    assert torch.equal(see_labels({"labels": labels}, 8), labels.long())


@pytest.mark.parametrize("seed", range(5))
def test_areas_are_counts_of_pixels_at_their_nearest_cell(seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, size=(6, 9)).astype(np.uint8)
    crop = random_crop(rng, 96, 135, CROPPING)
    counts = np.zeros(6)
    for row in range(crop.side):
        for column in range(crop.side):
            cell = labels[int((crop.top + row + 0.5) / 96 * 6), int((crop.left + column + 0.5) / 135 * 9)]
            counts[cell] += 1
    np.testing.assert_allclose(label_areas(labels, crop, 6), counts / crop.side**2, rtol=0, atol=1e-12)
