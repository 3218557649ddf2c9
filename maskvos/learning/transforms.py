"""Phi: the random geometric transformation of Eq. 11 and 13, on images and on features alike."""

from typing import NamedTuple

import torch.nn.functional as functional
from torch import Tensor

from maskvos.networks.resample import interpolation_matrix, resample


class Phi(NamedTuple):
    """One zoom-in crop and flip for each clip of a batch.

    ``top``, ``left``, ``side`` (B,) are fractions of the frame (top + side <= 1: inside the frame by construction);
    ``flip`` (B,) bool, horizontal.
    """

    top: Tensor
    left: Tensor
    side: Tensor
    flip: Tensor

    def of_maps(self, maps: Tensor) -> Tensor:
        """(B, C, H, W) -> the same shape, showing the crop; bilinear, float32, differentiable."""
        height, width = maps.shape[-2:]
        upright = self.flip.new_zeros(self.flip.shape)
        rows = interpolation_matrix(self.top, self.side, upright, height, height)
        columns = interpolation_matrix(self.left, self.side, self.flip, width, width)
        return resample(maps, rows, columns)

    def of_features(self, features: Tensor) -> Tensor:
        """`of_maps`, then L2-normalised again: a bilinear mean of unit vectors is shorter than one."""
        return functional.normalize(self.of_maps(features), dim=1)
