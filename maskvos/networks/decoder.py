"""The mask decoder D."""

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from maskvos.networks.recompute import recomputed
from maskvos.networks.resample import enlarge
from maskvos.networks.trunk import Trunk
from maskvos.params.method import Networks

# Certainty 1 - EDGE of a mask is as far as its logit goes (4.6): D can still overrule it.
EDGE = 0.01


class ResidualBlock(nn.Module):
    """relu-conv-relu-conv beside a 1x1 projection, without BatchNorm, as in STM's decoder."""

    def __init__(self, channels: int, output: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(channels, output, kernel_size=1)
        self.first = nn.Conv2d(channels, output, kernel_size=3, padding=1)
        self.second = nn.Conv2d(output, output, kernel_size=3, padding=1)

    def forward(self, maps: Tensor) -> Tensor:
        """(N, channels, H, W) -> (N, output, H, W)."""
        inner = self.second(functional.relu(self.first(functional.relu(maps))))
        return self.project(maps) + inner


class MaskDecoder(nn.Module):
    """D: two residual blocks with skips from E's layer2 (1/8) and layer1 (1/4), a 1x1 to one logit, upsampled by 4.

    Args:
        networks: widths.
        trunk: of E.
        residual: D corrects the mask that V saw: its logit is added to that mask's, times a learned weight that starts
            at 1, and its last layer starts at 0, so that training begins at the coarse mask. Not in the paper.
    """

    def __init__(self, networks: Networks, trunk: Trunk, residual: bool = False) -> None:
        super().__init__()
        width = networks.decoder_width
        self.block8 = ResidualBlock(2 * networks.mask_embedding_dim, width)
        self.skip8 = nn.Conv2d(trunk.skip8_channels, width, kernel_size=1)
        self.skip4 = nn.Conv2d(trunk.skip4_channels, width, kernel_size=1)
        self.block4 = ResidualBlock(width, width // 2)
        self.logit = nn.Conv2d(width // 2, 1, kernel_size=1)
        self.mask_weight = nn.Parameter(torch.ones(1)) if residual else None
        if residual:
            for parameter in self.logit.parameters():
                nn.init.zeros_(parameter)

    @property
    def residual(self) -> bool:
        """Whether D corrects the mask that it is given."""
        return self.mask_weight is not None

    def forward(self, readout: Tensor, own: Tensor, skip8: Tensor, skip4: Tensor, mask: Tensor) -> Tensor:
        """One object's mask (Eq. 9).

        Args:
            readout: (N, D', h, w) values gathered from the references, V_q of Eq. 7.
            own: (N, D', h, w) embedding of the query with its coarse mask; zeros for refinement round 0.
            skip8: (N, C2, h, w) of E's layer2.
            skip4: (N, C1, 2h, 2w) of E's layer1.
            mask: (N, 1, 8h, 8w) the mask that V saw, the coarse one in refinement round 0; of no effect unless D
                corrects it.

        Returns:
            (N, 1, 8h, 8w) logits, float32.
        """
        maps = recomputed(self.block8, torch.cat([readout, own], dim=1)) + self.skip8(skip8)
        maps = recomputed(self.block4, enlarge(maps, 2) + self.skip4(skip4))
        logits = enlarge(self.logit(functional.relu(maps)), 4)
        if self.mask_weight is None:
            return logits
        return logits + self.mask_weight * mask.float().clamp(EDGE, 1 - EDGE).logit()
