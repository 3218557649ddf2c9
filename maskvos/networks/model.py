"""The whole segmentation model: E, V and D."""

from torch import nn

from maskvos.networks.decoder import MaskDecoder
from maskvos.networks.encoder import VisualEncoder
from maskvos.networks.mask_encoder import MaskEncoder
from maskvos.params.method import Networks


class MaskVOS(nn.Module):
    """E runs once a frame; V and D once for each object (paper 3.1, Eq. 3)."""

    def __init__(self, networks: Networks, residual_decoder: bool = False) -> None:
        super().__init__()
        self.encoder = VisualEncoder(networks)
        self.mask_encoder = MaskEncoder(networks)
        self.decoder = MaskDecoder(networks, self.encoder.trunk, residual_decoder)
