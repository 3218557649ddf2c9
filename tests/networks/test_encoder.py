"""The visual encoder E."""

import pytest
import torch

from maskvos.networks.encoder import VisualEncoder
from tests.tiny import networks


@pytest.mark.parametrize(("last_layer", "channels"), [("layer3", 256), ("layer4", 512)])
def test_shapes_and_unit_keys(last_layer, channels):
    features = VisualEncoder(networks(last_layer=last_layer))(torch.randn(2, 3, 40, 24))
    assert features.key.shape == (2, 16, 5, 3)
    assert features.trunk.shape == (2, channels, 5, 3)
    assert features.skip8.shape == (2, 128, 5, 3)
    assert features.skip4.shape == (2, 64, 10, 6)
    torch.testing.assert_close(features.key.norm(dim=1), torch.ones(2, 5, 3))


def test_keys_are_unit_vectors_in_float32_under_autocast():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        features = VisualEncoder(networks())(torch.randn(1, 3, 16, 16))
    assert features.key.dtype == torch.float32
    torch.testing.assert_close(features.key.norm(dim=1), torch.ones(1, 2, 2))


def test_key_is_the_normalised_head_of_the_trunk():
    encoder = VisualEncoder(networks()).eval()
    features = encoder(torch.randn(1, 3, 16, 16))
    head = encoder.head(features.trunk)
    torch.testing.assert_close(features.key, head / head.square().sum(dim=1, keepdim=True).sqrt())


def test_every_parameter_learns():
    encoder = VisualEncoder(networks())
    features = encoder(torch.randn(2, 3, 32, 32))
    (features.key * torch.randn_like(features.key)).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in encoder.parameters())
