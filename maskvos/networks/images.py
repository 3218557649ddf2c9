"""Images as the networks take them."""

from collections.abc import Sequence

import torch
from torch import Tensor

# The ImageNet channel statistics: a convention of torchvision's networks, no supervision is in them.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


def normalise(images: Tensor, mean: Sequence[float] = MEAN, std: Sequence[float] = STD) -> Tensor:
    """(..., 3, H, W) uint8 RGB -> float32 with zero mean and unit variance for each channel."""
    centre, scale = _channels(mean, images.device), _channels(std, images.device)
    return (images.float() / 255 - centre) / scale


def _channels(values: Sequence[float], device: torch.device) -> Tensor:
    """(3, 1, 1), filled on the device: `torch.tensor` would copy from main memory and wait for a GPU to be done."""
    return torch.cat([torch.full((1, 1, 1), value, device=device) for value in values])
