"""Images as the networks take them."""

import torch
from torch import Tensor

# The ImageNet channel statistics: a convention of torchvision's networks, no supervision is in them.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


def normalise(images: Tensor) -> Tensor:
    """(..., 3, H, W) uint8 RGB -> float32 with zero mean and unit variance for each channel."""
    mean = torch.tensor(MEAN, device=images.device).view(3, 1, 1)
    std = torch.tensor(STD, device=images.device).view(3, 1, 1)
    return (images.float() / 255 - mean) / std
