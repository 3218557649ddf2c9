"""The mask decoder D."""

import pytest
import torch
from torch import nn

from maskvos.networks.decoder import MaskDecoder, ResidualBlock
from maskvos.networks.trunk import Trunk
from tests.plain.networks import decode, gradient_error, leaves
from tests.plain.precision import code_in_float64
from tests.tasks import new_model
from tests.tiny import networks


def inputs(batch=2, trunk=(128, 64)):
    shapes = [(24, 4, 6), (24, 4, 6), (trunk[0], 4, 6), (trunk[1], 8, 12)]
    return [torch.randn(batch, *shape, requires_grad=True) for shape in shapes]


def seen(batch=2):
    """The masks that V saw; certain here and there."""
    return (torch.rand(batch, 1, 32, 48) * 1.4 - 0.2).clamp(0, 1)


def test_a_correction_begins_at_the_mask_that_it_corrects():
    decoder = MaskDecoder(networks(), Trunk(networks()), residual=True)
    mask = seen()
    torch.testing.assert_close(decoder(*inputs(), mask).sigmoid(), mask.clamp(0.01, 0.99))


@pytest.mark.parametrize(("backbone", "skips"), [("resnet18", (128, 64)), ("resnet50", (512, 256))])
def test_logits_at_full_resolution_from_every_input(backbone, skips):
    settings = networks(backbone=backbone)
    decoder = MaskDecoder(settings, Trunk(settings))
    given = inputs(trunk=skips)
    logits = decoder(*given, seen())
    assert logits.shape == (2, 1, 32, 48) and logits.dtype == torch.float32
    logits.square().sum().backward()
    assert all(tensor.grad.abs().sum() > 0 for tensor in given)
    assert all(p.grad is not None for p in decoder.parameters())


@pytest.mark.parametrize("residual", [False, True])
def test_values_and_gradients_are_those_of_plain_sums(residual):
    """D of Eq. 9 in float64 (`tests/plain`), for two objects, with V of the query and without (refinement round 0)."""
    model = new_model(networks(), residual)
    weights, masks = leaves(model), seen().double()
    given = [[tensor.detach().double().requires_grad_() for tensor in inputs()] for _ in range(2)]
    given[1] = [tensor.detach().clone().requires_grad_() for tensor in given[0]]
    readout, own, skip8, skip4 = given[0]
    pattern = torch.randn(32, 48, dtype=torch.float64)
    plain = [decode(readout[n], own[n] if n else None, skip8[n], skip4[n], weights, masks[n, 0]) for n in range(2)]
    sum((logits * pattern).sum() for logits in plain).backward()
    with code_in_float64():
        first, second = given[1][1].new_zeros(1, *own.shape[1:]), given[1][1][1:]
        found = model.double().decoder(given[1][0], torch.cat([first, second]), *given[1][2:], masks)
        (found * pattern).sum().backward()
    torch.testing.assert_close(found[:, 0], torch.stack(plain))
    for expected, tensor in zip(*given, strict=True):
        torch.testing.assert_close(tensor.grad, expected.grad)
    assert gradient_error(model.decoder, weights, "decoder.") < 1e-9


def test_residual_block_changes_width_and_leaves_its_input_alone():
    block = ResidualBlock(6, 4)
    maps = torch.randn(1, 6, 5, 5)
    before = maps.clone()
    assert block(maps).shape == (1, 4, 5, 5)
    assert torch.equal(maps, before)


def test_there_is_no_batch_normalisation():
    decoder = MaskDecoder(networks(), Trunk(networks()))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in decoder.modules())
    given = inputs(batch=3)
    given.append(seen(batch=3))
    together = decoder(*given)
    torch.testing.assert_close(together[1:2], decoder(*(t[1:2] for t in given)), atol=1e-5, rtol=1e-4)
