"""The frame-mask encoder V."""

import torch
from torch import Tensor, nn

from maskvos.networks.encoder import VisualEncoder
from maskvos.networks.recompute import recomputed
from maskvos.networks.trunk import Trunk, projection_head
from maskvos.params.method import Networks


class MaskEncoder(nn.Module):
    """V: the trunk of E with a fourth input channel for one object's mask, and a head to D' = 512 (paper 3.3)."""

    def __init__(self, networks: Networks) -> None:
        super().__init__()
        self.trunk = Trunk(networks, input_channels=4)
        self.head = projection_head(self.trunk.channels, networks.mask_embedding_dim)

    def forward(self, images: Tensor, masks: Tensor) -> Tensor:
        """(N, 3, H, W) normalised images and (N, 1, H, W) masks in [0, 1] -> (N, D', H/8, W/8) (Eq. 5, right)."""
        return recomputed(self.head, self.trunk(torch.cat([images, masks], dim=1)).last).float()

    def start_from(self, encoder: VisualEncoder) -> None:
        """Take E's trunk; the mask's input weights start at zero (self-supervised, never ImageNet)."""
        state = encoder.trunk.state_dict()
        image_weight = state["stem.0.weight"]
        state["stem.0.weight"] = torch.cat([image_weight, torch.zeros_like(image_weight[:, :1])], dim=1)
        self.trunk.load_state_dict(state)
