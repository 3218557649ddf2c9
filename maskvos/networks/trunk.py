"""The ResNet trunk that E, V and the DINO stage share (paper 3.3 Network Configuration)."""

from typing import NamedTuple

import torchvision
from torch import Tensor, nn

from maskvos.networks.recompute import recomputed
from maskvos.params.method import Backbone


class TrunkMaps(NamedTuple):
    """Feature maps: ``skip4`` (B, C1, H/4, W/4), ``skip8`` (B, C2, H/8, W/8), ``last`` (B, C, H/8, W/8)."""

    skip4: Tensor
    skip8: Tensor
    last: Tensor


def _remove_stride(layer: nn.Module) -> None:
    for module in layer.modules():
        if isinstance(module, nn.Conv2d) and module.stride == (2, 2):
            module.stride = (1, 1)


class Trunk(nn.Module):
    """torchvision's ResNet without its classifier, never with supervised weights.

    Args:
        networks: backbone and the last layer that is kept.
        input_channels: 3 for images, 4 for an image with one object's mask.
        plain: the ordinary strides and all four layers, for DINO; otherwise layer3 and layer4 keep 1/8 of the input's
            resolution, as in CRW and DUL. The weights are the same either way.
    """

    def __init__(self, networks: Backbone, input_channels: int = 3, plain: bool = False) -> None:
        super().__init__()
        resnet = getattr(torchvision.models, networks.backbone)(weights=None)
        if input_channels != 3:
            resnet.conv1 = nn.Conv2d(input_channels, 64, kernel_size=7, stride=2, padding=3, bias=False)
        self.stem = nn.Sequential(resnet.conv1, resnet.bn1, resnet.relu, resnet.maxpool)
        self.layer1, self.layer2, self.layer3 = resnet.layer1, resnet.layer2, resnet.layer3
        self.layer4 = resnet.layer4 if plain or networks.last_layer == "layer4" else nn.Identity()
        if not plain:
            _remove_stride(self.layer3)
            _remove_stride(self.layer4)
        expansion = resnet.layer1[-1].expansion
        self.skip4_channels = 64 * expansion
        self.skip8_channels = 128 * expansion
        self.channels = (256 if isinstance(self.layer4, nn.Identity) else 512) * expansion

    def forward(self, images: Tensor) -> TrunkMaps:
        """(B, input_channels, H, W) -> maps."""
        skip4 = _in_blocks(self.layer1, recomputed(self.stem, images))
        skip8 = _in_blocks(self.layer2, skip4)
        return TrunkMaps(skip4, skip8, _in_blocks(self.layer4, _in_blocks(self.layer3, skip8)))


def _in_blocks(layer: nn.Module, maps: Tensor) -> Tensor:
    for block in layer.children():  # none in the identity that stands where layer4 is left out
        maps = recomputed(block, maps)
    return maps


def projection_head(channels: int, output: int) -> nn.Sequential:
    """Two 1x1 convolutions with BatchNorm and ReLU between (paper 3.3: "two 1x1 convolution layers")."""
    return nn.Sequential(
        nn.Conv2d(channels, channels, kernel_size=1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
        nn.Conv2d(channels, output, kernel_size=1),
    )
