"""The trunk: shapes, and strides that are removed where they should be and nowhere else."""

import pytest
import torch
import torchvision
from torch import nn

from maskvos.networks.trunk import Trunk
from tests.tiny import networks

KINDS = [
    ("resnet18", "layer3", 64, 128, 256),
    ("resnet18", "layer4", 64, 128, 512),
    ("resnet50", "layer3", 256, 512, 1024),
]


def strides(layer):
    """Of the convolutions, in order."""
    return [module.stride[0] for module in layer.modules() if isinstance(module, nn.Conv2d)]


@pytest.mark.parametrize(("backbone", "last_layer", "quarter", "eighth", "channels"), KINDS)
def test_shapes_at_output_stride_eight(backbone, last_layer, quarter, eighth, channels):
    trunk = Trunk(networks(backbone=backbone, last_layer=last_layer))
    assert (trunk.skip4_channels, trunk.skip8_channels, trunk.channels) == (quarter, eighth, channels)
    maps = trunk(torch.randn(2, 3, 32, 48))
    assert maps.skip4.shape == (2, quarter, 8, 12)
    assert maps.skip8.shape == (2, eighth, 4, 6)
    assert maps.last.shape == (2, channels, 4, 6)


@pytest.mark.parametrize("backbone", ["resnet18", "resnet50"])
def test_plain_is_torchvisions_network(backbone):
    trunk = Trunk(networks(backbone=backbone), plain=True).eval()
    resnet = getattr(torchvision.models, backbone)(weights=None)
    state = {name.replace("stem.0.", "conv1.").replace("stem.1.", "bn1."): v for name, v in trunk.state_dict().items()}
    missing, unexpected = resnet.load_state_dict(state, strict=False)
    assert unexpected == [] and set(missing) == {"fc.weight", "fc.bias"}
    resnet.fc = nn.Identity()
    images = torch.randn(2, 3, 64, 64)
    maps = trunk(images)
    assert maps.last.shape[-2:] == (2, 2)
    torch.testing.assert_close(maps.last.mean(dim=(2, 3)), resnet.eval()(images))


@pytest.mark.parametrize(("backbone", "last_layer"), [kind[:2] for kind in KINDS])
def test_strides_go_from_the_last_layers_alone(backbone, last_layer):
    kept = Trunk(networks(backbone=backbone, last_layer=last_layer))
    plain = Trunk(networks(backbone=backbone), plain=True)
    for name in ("stem", "layer1", "layer2"):
        assert strides(getattr(kept, name)) == strides(getattr(plain, name))
    assert 2 in strides(kept.layer2) and strides(kept.stem) == [2]
    assert set(strides(kept.layer3)) == {1}
    assert strides(plain.layer3).count(2) == strides(plain.layer4).count(2) == 2
    if last_layer == "layer4":
        assert set(strides(kept.layer4)) == {1}
    else:
        assert not list(kept.layer4.parameters())


def test_weights_are_the_same_whatever_the_strides():
    kept, plain = Trunk(networks(last_layer="layer4")), Trunk(networks(), plain=True)
    kept.load_state_dict(plain.state_dict())
    images = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(kept.eval()(images).skip8, plain.eval()(images).skip8)


def test_four_input_channels():
    assert Trunk(networks(), input_channels=4)(torch.randn(1, 4, 16, 16)).last.shape == (1, 256, 2, 2)
