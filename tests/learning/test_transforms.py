"""Phi on images and on features."""

import pytest
import torch
import torch.nn.functional as functional

from maskvos.learning.transforms import Phi
from tests.plain import equations


def phi(top, left, side, flip):
    return Phi(torch.tensor([top]), torch.tensor([left]), torch.tensor([side]), torch.tensor([flip]))


@pytest.mark.parametrize("flip", [False, True])
def test_phi_is_a_bilinear_crop_and_flip(flip):
    maps = torch.rand(2, 5, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    got = phi(0.1, 0.25, 0.6, flip).of_maps(maps[None].float())[0]
    assert torch.allclose(got.double(), equations.phi(maps, 0.1, 0.25, 0.6, flip), atol=1e-6)


def test_the_whole_frame_unflipped_is_the_identity():
    maps = torch.rand(1, 3, 6, 6)
    assert torch.allclose(phi(0.0, 0.0, 1.0, False).of_maps(maps), maps, atol=1e-6)


def linear_encoders():
    """1x1 convolution; mean of 3x3 neighbours at stride 1; mean of 8x8 pixels at stride 8, E's output stride."""
    mixing = torch.rand(4, 3, generator=torch.Generator().manual_seed(1))
    return {
        "mixing": lambda maps: torch.einsum("dc,bchw->bdhw", mixing, maps),
        "neighbours": lambda maps: functional.avg_pool2d(functional.pad(maps, (1, 1, 1, 1), "replicate"), 3, 1),
        "cells": lambda maps: functional.avg_pool2d(maps, 8),
    }


@pytest.mark.parametrize("encoder", ["mixing", "neighbours", "cells"])
@pytest.mark.parametrize("place", [(0.25, 0.125, 0.5, True), (0.2, 0.1, 0.7, False), (0.0, 0.0, 1.0, True)])
def test_image_and_features_agree_on_linear_encoders(encoder, place):
    """E(Phi(I)) = Phi(E(I)), the equivariance that Eq. 11 and 13 rest on, whatever the grid of the features.

    On any image for an encoder that looks at one pixel and for a mere flip; else on images that rise evenly, which
    bilinear interpolation and means leave exact. Cells and neighbours beyond the frame's border are not looked at.
    """
    encode, move = linear_encoders()[encoder], phi(*place)
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(96.0), indexing="ij")
    image = torch.stack([x / 96, y / 64, (x - 2 * y) / 96])[None]
    if encoder == "mixing" or place[:3] == (0.0, 0.0, 1.0):
        image = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(2))
    inner = (..., slice(1, -1), slice(1, -1))
    moved_first, moved_last = encode(move.of_maps(image)), move.of_maps(encode(image))
    torch.testing.assert_close(moved_first[inner], moved_last[inner], atol=2e-6, rtol=0)


def test_gradient_is_the_transposed_map():
    """Phi is linear: the gradient of <Phi(x), w> is what the plain loops make of it."""
    generator = torch.Generator().manual_seed(3)
    maps, weights = (torch.rand(2, 5, 7, generator=generator, dtype=torch.float64) for _ in range(2))
    ours, plain = maps.float()[None].requires_grad_(), maps.clone().requires_grad_()
    (phi(0.1, 0.25, 0.6, True).of_maps(ours)[0] * weights).sum().backward()
    (equations.phi(plain, 0.1, 0.25, 0.6, True) * weights).sum().backward()
    torch.testing.assert_close(ours.grad[0].double(), plain.grad, atol=1e-5, rtol=1e-5)


def test_every_clip_has_its_own_phi():
    maps = torch.rand(3, 2, 5, 7, dtype=torch.float64)
    numbers = torch.tensor([[0.1, 0.25, 0.6], [0.0, 0.3, 0.7], [0.4, 0.0, 0.5]])
    flips = torch.tensor([False, True, True])
    found = Phi(numbers[:, 0], numbers[:, 1], numbers[:, 2], flips).of_maps(maps)
    for clip in range(3):
        expected = equations.phi(maps[clip], *numbers[clip].tolist(), bool(flips[clip]))
        torch.testing.assert_close(found[clip].double(), expected, atol=1e-5, rtol=1e-5)


def test_features_stay_unit_vectors():
    features = functional.normalize(torch.randn(1, 4, 6, 6), dim=1)
    norms = phi(0.1, 0.3, 0.5, False).of_features(features).norm(dim=1)
    assert torch.allclose(norms, torch.ones_like(norms), atol=1e-5)
