"""Normalised images."""

import numpy as np
import torch

from maskvos.networks.images import normalise


def test_each_channel_by_hand():
    images = torch.randint(0, 256, (2, 3, 4, 5), dtype=torch.uint8)
    found = normalise(images)
    assert found.dtype == torch.float32
    for channel, (mean, deviation) in enumerate([(0.485, 0.229), (0.456, 0.224), (0.406, 0.225)]):
        expected = (images[:, channel].double().numpy() / 255 - mean) / deviation
        np.testing.assert_allclose(found[:, channel], expected, atol=1e-5)


def test_any_number_of_leading_axes():
    images = torch.randint(0, 256, (2, 6, 3, 4, 5), dtype=torch.uint8)
    assert torch.equal(normalise(images)[1, 2], normalise(images[1, 2]))


def test_other_statistics():
    images = torch.randint(0, 256, (2, 3, 4, 5), dtype=torch.uint8)
    found = normalise(images, [0.1, 0.2, 0.3], [1.0, 2.0, 4.0])
    torch.testing.assert_close(found[1, 2], (images[1, 2] / 255 - 0.3) / 4)
