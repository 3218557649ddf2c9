"""The visual encoder E."""

import pytest
import torch

from maskvos.networks.encoder import VisualEncoder
from maskvos.networks.model import MaskVOS
from tests.plain.networks import encode, gradient_error, leaves, settle
from tests.plain.precision import code_in_float64
from tests.tiny import networks


@pytest.mark.parametrize(("last_layer", "channels"), [("layer3", 256), ("layer4", 512)])
def test_shapes_and_unit_keys(last_layer, channels):
    features = VisualEncoder(networks(last_layer=last_layer))(torch.randn(2, 3, 40, 24))
    assert features.key.shape == (2, 16, 5, 3)
    assert features.trunk.shape == (2, channels, 5, 3)
    assert features.skip8.shape == (2, 128, 5, 3)
    assert features.skip4.shape == (2, 64, 10, 6)
    torch.testing.assert_close(features.key.norm(dim=1), torch.ones(2, 5, 3))


@pytest.mark.parametrize(("backbone", "last_layer"), [("resnet18", "layer4"), ("resnet50", "layer3")])
def test_values_and_gradients_are_those_of_plain_sums(backbone, last_layer):
    """Eq. 5, left, in float64 (`tests/plain`); ResNet-18 up to layer3 is in the test of the mask embedding loss."""
    images = torch.randn(2, 3, 16, 24)
    model = settle(MaskVOS(networks(backbone=backbone, last_layer=last_layer)), images, torch.rand(2, 1, 16, 24))
    weights, pick = leaves(model), torch.randn(3, dtype=torch.float64)
    plain = [encode(image, weights) for image in images.double()]
    with code_in_float64():
        features = model.double().encoder(images.double())
        for number, maps in enumerate((features.key, features.skip8, features.skip4)):
            torch.testing.assert_close(maps, torch.stack([frame[number] for frame in plain]))
            (pick[number] * maps[:, 0, 1, 2].sum()).backward(retain_graph=True)
    sum(pick[n] * maps[0, 1, 2] for frame in plain for n, maps in enumerate(frame)).backward()
    assert gradient_error(model.encoder, weights, "encoder.") < 1e-9


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
