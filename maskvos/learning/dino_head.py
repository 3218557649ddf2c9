"""The projection head of DINO."""

import torch
import torch.nn.functional as functional
from torch import Tensor, nn


class DinoHead(nn.Module):
    """hidden-hidden-bottleneck with GELU and no BatchNorm, then cosine similarities with the prototypes.

    Bottleneck and prototypes are both L2-normalised (DINO's weight-normalised last layer with its gain fixed at 1), so
    every output is a cosine in [-1, 1]. Source: DINO (Caron et al., ICCV 2021), appendix C "Projection head".

    Args:
        channels: of the pooled features.
        hidden: width of the two hidden layers.
        bottleneck: width of the normalised layer.
        prototypes: number of outputs.
    """

    def __init__(self, channels: int, hidden: int, bottleneck: int, prototypes: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(channels, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, bottleneck)
        )
        self.prototypes = nn.Parameter(torch.empty(prototypes, bottleneck))
        for module in self.mlp:
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)  # DINO's initial weights
                nn.init.zeros_(module.bias)
        nn.init.kaiming_uniform_(self.prototypes, a=5**0.5)

    def forward(self, features: Tensor, freeze: bool = False) -> Tensor:
        """(N, channels) -> (N, prototypes) cosines, float32; ``freeze`` keeps the gradient off the prototypes."""
        directions = functional.normalize(self.mlp(features).float(), dim=1)
        prototypes = self.prototypes.detach() if freeze else self.prototypes
        with torch.autocast(features.device.type, enabled=False):
            return functional.linear(directions, functional.normalize(prototypes.float(), dim=1))
