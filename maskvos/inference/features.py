"""Features that label propagation can match: encoder keys, trunk features, converted networks', raw Lab patches."""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from maskvos.errors import UserError
from maskvos.inference.geometry import STRIDE, pad_to_stride
from maskvos.networks.encoder import Features, VisualEncoder
from maskvos.networks.features import FeatureNetwork
from maskvos.networks.images import normalise
from maskvos.training.device import autocast


class Matched(NamedTuple):
    """What is matched of a picture: ``key`` (1, D, h, w), and ``fine`` (1, C, 2h, 2w), whose dot product is added where
    the parts of matched cells are ranked; None where matches are whole cells."""

    key: Tensor
    fine: Tensor | None = None


FeatureExtractor = Callable[[Tensor], Tensor | Matched]
"""(1, 3, H', W') uint8 RGB at working resolution -> (1, D, h, w) L2-normalised, h = ceil(H' / stride), or the same with
something finer beside it."""


def network_input(picture: Tensor) -> Tensor:
    """(1, 3, H', W') uint8 -> normalised and zero-padded (the mean colour) to multiples of 8."""
    return pad_to_stride(normalise(picture))


def encoder_keys(
    encoder: VisualEncoder, precision: str, layer2_weight: float = 0.0, layer1_weight: float = 0.0
) -> FeatureExtractor:
    """E's keys (Eq. 5), which correspondence learning trains; layer2 and layer1 beside them if they have a weight."""
    return _extractor(encoder, precision, lambda found: found.key.float(), layer2_weight, layer1_weight)


def trunk_features(
    encoder: VisualEncoder, precision: str, layer2_weight: float = 0.0, layer1_weight: float = 0.0
) -> FeatureExtractor:
    """E's trunk without its head, L2-normalised: what the DINO stage trains; layer2 and layer1 beside it likewise."""
    return _extractor(
        encoder, precision, lambda found: functional.normalize(found.trunk.float(), dim=1), layer2_weight, layer1_weight
    )


def _extractor(
    encoder: VisualEncoder,
    precision: str,
    key: Callable[[Features], Tensor],
    layer2_weight: float,
    layer1_weight: float,
) -> FeatureExtractor:
    encoder.eval()

    def extract(picture: Tensor) -> Matched:
        with autocast(picture.device, precision):
            found = encoder(network_input(picture))
        return Matched(with_layer2(key(found), found.skip8, layer2_weight), fine_layer1(found.skip4, layer1_weight))

    return extract


def converted_features(
    network: FeatureNetwork, precision: str, layer2_weight: float = 0.0, layer1_weight: float = 0.0
) -> FeatureExtractor:
    """What a converted network gives, ``network.stride`` pixels apart.

    Raises:
        UserError: layer2 or layer1 has a weight, which such a network does not hand out.
    """
    if max(layer2_weight, layer1_weight) > 0:
        raise UserError(
            "a converted checkpoint is matched by its own features alone. Set inference.layer2_weight=0 and "
            "inference.layer1_weight=0."
        )
    network.eval()

    def extract(picture: Tensor) -> Tensor:
        with autocast(picture.device, precision):
            return network(picture)

    return extract


def with_layer2(key: Tensor, layer2: Tensor, weight: float) -> Tensor:
    """Keys (B, D, h, w) with the trunk's layer2 (B, C, h, w) beside them (B, D + C, h, w).

    The dot product of two cells is then that of the keys + ``weight`` x the cosine of layer2, each channel of which is
    centred over its own frame. Layer2 has seen less of the surroundings than the keys, and so tells better where an
    object ends (docs/study.md).
    """
    if weight == 0:
        return key
    return torch.cat([key, weight**0.5 * _centred(layer2)], 1)


def fine_layer1(layer1: Tensor, weight: float) -> Tensor | None:
    """The trunk's layer1 (B, C, 2h, 2w), four pixels apart, so that the dot product of two places is ``weight`` x the
    cosine; each channel is centred over its own frame, as layer2 is. None where it has no weight."""
    return None if weight == 0 else weight**0.5 * _centred(layer1)


def _centred(maps: Tensor) -> Tensor:
    """Maps (B, C, h, w) less the mean of each channel over each frame, L2-normalised over C, in float32."""
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
