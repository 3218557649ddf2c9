"""The frame-mask encoder V."""

import torch

from maskvos.networks.encoder import VisualEncoder
from maskvos.networks.mask_encoder import MaskEncoder
from maskvos.networks.model import MaskVOS
from tests.plain.networks import embed, gradient_error, leaves, settle
from tests.plain.precision import code_in_float64
from tests.tiny import networks


def test_shape_and_type():
    encoder = MaskEncoder(networks())
    assert encoder(torch.randn(3, 3, 16, 24), torch.rand(3, 1, 16, 24)).shape == (3, 24, 2, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert encoder(torch.randn(1, 3, 16, 16), torch.rand(1, 1, 16, 16)).dtype == torch.float32


def test_values_and_gradients_are_those_of_plain_sums():
    """Eq. 5, right, in float64 (`tests/plain`)."""
    images, masks = torch.randn(2, 3, 16, 24), torch.rand(2, 1, 16, 24)
    model = settle(MaskVOS(networks()), images, masks)
    weights, own_masks = leaves(model), masks.double().requires_grad_()
    plain_masks = masks.double().requires_grad_()
    expected = torch.stack([embed(i, m[0], weights) for i, m in zip(images.double(), plain_masks, strict=True)])
    with code_in_float64():
        found = model.double().mask_encoder(images.double(), own_masks)
        (found * torch.arange(6.0).view(2, 3)).sum().backward()
    torch.testing.assert_close(found, expected)
    (expected * torch.arange(6.0).view(2, 3)).sum().backward()
    torch.testing.assert_close(own_masks.grad, plain_masks.grad)
    assert gradient_error(model.mask_encoder, weights, "mask_encoder.") < 1e-9


def test_a_copy_of_e_starts_blind_to_the_mask():
    encoder, mask_encoder = VisualEncoder(networks()).eval(), MaskEncoder(networks()).eval()
    for buffer in encoder.buffers():
        if buffer.is_floating_point():
            buffer.uniform_(0.5, 1.5)
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    mask_encoder.start_from(encoder)
    weight = mask_encoder.trunk.stem[0].weight
    assert torch.equal(weight[:, :3], encoder.trunk.stem[0].weight) and weight[:, 3].abs().sum() == 0
    images, masks = torch.randn(2, 3, 32, 32), torch.rand(2, 1, 32, 32)
    found = mask_encoder.trunk(torch.cat([images, masks], dim=1))
    torch.testing.assert_close(found.last, encoder(images).trunk)
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())


def test_the_copy_is_its_own_and_the_mask_can_be_learned():
    encoder, mask_encoder = VisualEncoder(networks()), MaskEncoder(networks())
    mask_encoder.start_from(encoder)
    for ours, theirs in zip(mask_encoder.trunk.layer3.parameters(), encoder.trunk.layer3.parameters(), strict=True):
        assert torch.equal(ours, theirs) and ours.data_ptr() != theirs.data_ptr()
    mask_encoder(torch.randn(2, 3, 32, 32), torch.rand(2, 1, 32, 32)).square().mean().backward()
    assert mask_encoder.trunk.stem[0].weight.grad[:, 3].abs().sum() > 0
