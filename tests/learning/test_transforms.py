"""Phi on images and on features."""

import pytest
import torch
import torch.nn.functional as functional

from maskvos.learning.transforms import Phi


def phi(top, left, side, flip):
    return Phi(torch.tensor([top]), torch.tensor([left]), torch.tensor([side]), torch.tensor([flip]))


def reference(maps, top, left, side, flip):
    """Bilinear crop in float64, pixel by pixel, align_corners=False, borders clamped."""
    channels, height, width = maps.shape
    result = torch.zeros_like(maps)
    for i in range(height):
        for j in range(width):
            v = (j + 0.5) / width
            v = 1 - v if flip else v
            y = min(max((top + side * (i + 0.5) / height) * height - 0.5, 0), height - 1)
            x = min(max((left + side * v) * width - 0.5, 0), width - 1)
            y0, x0 = int(y), int(x)
            y1, x1 = min(y0 + 1, height - 1), min(x0 + 1, width - 1)
            for c in range(channels):
                upper = maps[c, y0, x0] * (1 - (x - x0)) + maps[c, y0, x1] * (x - x0)
                lower = maps[c, y1, x0] * (1 - (x - x0)) + maps[c, y1, x1] * (x - x0)
                result[c, i, j] = upper * (1 - (y - y0)) + lower * (y - y0)
    return result


@pytest.mark.parametrize("flip", [False, True])
def test_phi_is_a_bilinear_crop_and_flip(flip):
    maps = torch.rand(2, 5, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    got = phi(0.1, 0.25, 0.6, flip).of_maps(maps[None].float())[0]
    assert torch.allclose(got.double(), reference(maps, 0.1, 0.25, 0.6, flip), atol=1e-6)


def test_the_whole_frame_unflipped_is_the_identity():
    maps = torch.rand(1, 3, 6, 6)
    assert torch.allclose(phi(0.0, 0.0, 1.0, False).of_maps(maps), maps, atol=1e-6)


def test_image_and_features_agree_on_a_linear_encoder():
    """For an encoder that is linear and pointwise, E(Phi(I)) = Phi(E(I)): both sides of Eq. 11's equivariance."""
    generator = torch.Generator().manual_seed(1)
    image, mixing = torch.rand(1, 3, 8, 8, generator=generator), torch.rand(4, 3, generator=generator)
    move = phi(0.2, 0.1, 0.7, True)

    def encode(maps):
        return torch.einsum("dc,bchw->bdhw", mixing, maps)

    assert torch.allclose(encode(move.of_maps(image)), move.of_maps(encode(image)), atol=1e-5)


def test_features_stay_unit_vectors():
    features = functional.normalize(torch.randn(1, 4, 6, 6), dim=1)
    norms = phi(0.1, 0.3, 0.5, False).of_features(features).norm(dim=1)
    assert torch.allclose(norms, torch.ones_like(norms), atol=1e-5)
