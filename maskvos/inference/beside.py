"""What is matched beside the keys: the trunk's earlier layers and raw Lab patches."""

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from maskvos.inference.geometry import STRIDE, pad_to_stride


def with_layer2(key: Tensor, layer2: Tensor, weight: float) -> Tensor:
    """Keys (B, D, h, w) with the trunk's layer2 (B, C, h, w) beside them (B, D + C, h, w).

    The dot product of two cells is then that of the keys + ``weight`` x the cosine of layer2, each channel of which is
    centred over its own frame. Layer2 has seen less of the surroundings than the keys, and so tells better where an
    object ends (docs/study.md).
    """
    if weight == 0:
        return key
    return torch.cat([key, weight**0.5 * centred(layer2)], 1)


def centred(maps: Tensor) -> Tensor:
    """Maps (B, C, h, w) less the mean of each channel over each frame, L2-normalised over C, in float32: early layers
    tell where a place is brighter or rougher than its frame; what all places share would drown that."""
    maps = maps.float()
    return functional.normalize(maps - maps.mean((2, 3), keepdim=True), dim=1)


def with_lab(key: Tensor, picture: Tensor, weight: float, stride: int = STRIDE) -> Tensor:
    """Keys (D, h, w) with raw Lab patches beside them (D + 48, h, w), so that the dot product of two cells is that of
    the keys + ``weight`` x that of the patches.
    """
    if weight == 0:
        return key
    return torch.cat([key, weight**0.5 * lab_patches(picture, stride)[0]])


def lab_patches(picture: Tensor, stride: int = STRIDE) -> Tensor:
    """Raw colour: the Lab means of the 4x4 blocks of each cell of ``stride`` pixels, 48 numbers, L2-normalised.

    Each channel is centred and scaled to unit variance over the frame first, so that the cosine tells dark from light
    and one hue from its complement. Measured on the first 13 frames of six DAVIS sequences at short side 240, J: 0.338
    so, 0.270 centred only, 0.201 centred on mid-grey for all frames, 0.054 centred for each cell. Padding repeats the
    border.
    """
    image = picture[0].permute(1, 2, 0).cpu().numpy().astype(np.float32) / 255
    lab = torch.from_numpy(cv2.cvtColor(image, cv2.COLOR_RGB2LAB)).permute(2, 0, 1)[None].to(picture.device)
    lab = (lab - lab.mean((2, 3), keepdim=True)) / lab.std((2, 3), keepdim=True, correction=0).clamp_min(1e-3)
    blocks = functional.avg_pool2d(pad_to_stride(lab, "replicate", stride), stride // 4)
    return functional.normalize(functional.pixel_unshuffle(blocks, 4), dim=1)
