"""The mask decoder D."""

import pytest
import torch
import torch.nn.functional as functional
from torch import nn

from maskvos.networks.decoder import MaskDecoder, ResidualBlock
from maskvos.networks.trunk import Trunk
from tests.tiny import networks


def inputs(batch=2, trunk=(128, 64)):
    shapes = [(24, 4, 6), (24, 4, 6), (trunk[0], 4, 6), (trunk[1], 8, 12)]
    return [torch.randn(batch, *shape, requires_grad=True) for shape in shapes]


@pytest.mark.parametrize(("backbone", "skips"), [("resnet18", (128, 64)), ("resnet50", (512, 256))])
def test_logits_at_full_resolution_from_every_input(backbone, skips):
    settings = networks(backbone=backbone)
    decoder = MaskDecoder(settings, Trunk(settings))
    given = inputs(trunk=skips)
    logits = decoder(*given)
    assert logits.shape == (2, 1, 32, 48) and logits.dtype == torch.float32
    logits.square().sum().backward()
    assert all(tensor.grad.abs().sum() > 0 for tensor in given)
    assert all(p.grad is not None for p in decoder.parameters())


def test_equals_the_same_layers_with_torchs_interpolation():
    decoder = MaskDecoder(networks(), Trunk(networks()))
    readout, own, skip8, skip4 = inputs()

    def block(module, maps):
        return module.project(maps) + module.second(module.first(maps.relu()).relu())

    def larger(maps, factor):
        return functional.interpolate(maps, scale_factor=factor, mode="bilinear", align_corners=False)

    maps = block(decoder.block8, torch.cat([readout, own], dim=1)) + decoder.skip8(skip8)
    maps = block(decoder.block4, larger(maps, 2) + decoder.skip4(skip4))
    expected = larger(decoder.logit(maps.relu()), 4)
    torch.testing.assert_close(decoder(readout, own, skip8, skip4), expected, atol=1e-5, rtol=1e-4)


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
    together = decoder(*given)
    torch.testing.assert_close(together[1:2], decoder(*(t[1:2] for t in given)), atol=1e-5, rtol=1e-4)
