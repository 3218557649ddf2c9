"""The visual encoder E."""

from typing import NamedTuple

import torch.nn.functional as functional
from torch import Tensor, nn

from maskvos.networks.recompute import recomputed
from maskvos.networks.trunk import Trunk, projection_head
from maskvos.params.method import Networks


class Features(NamedTuple):
    """What E gives for a batch of images.

    ``key`` (B, D, H/8, W/8) L2-normalised float32; ``trunk`` (B, C, H/8, W/8); ``skip8`` (B, C2, H/8, W/8);
    ``skip4`` (B, C1, H/4, W/4).
    """

    key: Tensor
    trunk: Tensor
    skip8: Tensor
    skip4: Tensor


class VisualEncoder(nn.Module):
    """E: ResNet trunk at output stride 8 and a head to D = 128 (paper 3.3), L2-normalised as in CRW and DUL."""

    def __init__(self, networks: Networks) -> None:
        super().__init__()
        self.trunk = Trunk(networks)
        self.head = projection_head(self.trunk.channels, networks.embedding_dim)

    def forward(self, images: Tensor) -> Features:
        """(B, 3, H, W) normalised, H and W multiples of 8 -> features (Eq. 5, left)."""
        maps = self.trunk(images)
        key = functional.normalize(recomputed(self.head, maps.last).float(), dim=1)
        return Features(key, maps.last, maps.skip8, maps.skip4)
