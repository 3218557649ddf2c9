"""The whole model: its parts fit together."""

import pytest
import torch

from maskvos.networks.model import MaskVOS
from tests.tiny import networks


@pytest.mark.parametrize(
    ("backbone", "last_layer"), [("resnet18", "layer3"), ("resnet18", "layer4"), ("resnet50", "layer3")]
)
def test_parts_fit(backbone, last_layer):
    model = MaskVOS(networks(backbone=backbone, last_layer=last_layer))
    images, masks = torch.randn(2, 3, 24, 32), torch.rand(2, 1, 24, 32)
    features = model.encoder(images)
    values = model.mask_encoder(images, masks)
    logits = model.decoder(values, values, features.skip8, features.skip4, masks)
    assert logits.shape == (2, 1, 24, 32)


def test_parts_are_found_by_their_names():
    prefixes = {name.split(".")[0] for name in MaskVOS(networks()).state_dict()}
    assert prefixes == {"encoder", "mask_encoder", "decoder"}
