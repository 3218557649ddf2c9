"""Small stand-ins that make inference easy to follow."""

from types import SimpleNamespace

import numpy as np
import torch
from torch.nn import functional

from maskvos.inference.geometry import STRIDE, pad_to_stride
from maskvos.networks.encoder import Features
from maskvos.params.inference import Inference

CPU = torch.device("cpu")


def settings(**changes):
    """The test protocol in small, for one video."""
    return inference().at(None).model_copy(update=changes)


def inference(**changes):
    """The test protocol in small, by layout."""
    values = {
        "short_side": {"davis": None, "youtubevos": 32},
        "references": 3,
        "top_k": 4,
        "radius": 3,
        "temperature": 0.05,
        "refinement_rounds": 1,
        "kept_mask": "mean",
        "pad_with_first": False,
        "first_radius": None,
        "rescale_limit": 1.0,
        "lab_weight": 0.0,
        "layer2_weight": 0.0,
        "layer1_weight": 0.0,
    }
    return Inference(**(values | changes))


def video(frames, height, width, seed=0):
    """Noise frames, named 00000, 00001, ..."""
    rng = np.random.default_rng(seed)
    return [(f"{i:05d}", rng.integers(0, 256, (height, width, 3), dtype=np.uint8)) for i in range(frames)]


def moving_square(frames, height=64, width=96, step=8):
    """A red square that moves right by a cell a frame over a textured green background, and its masks (id 1)."""
    rng = np.random.default_rng(1)
    ground = rng.integers(60, 120, (height, width, 3), dtype=np.uint8)
    ground[..., 0] = 0
    images, masks = [], []
    for index in range(frames):
        image, mask = ground.copy(), np.zeros((height, width), np.uint8)
        left = 16 + step * index
        image[16:40, left : left + 24] = (220, 10, 10)
        mask[16:40, left : left + 24] = 1
        images.append((f"{index:05d}", image))
        masks.append(mask)
    return images, masks


def colours(picture, stride=STRIDE):
    """Features: mean colour of each cell and its product terms, normalised."""
    cells = functional.avg_pool2d(pad_to_stride(picture.float(), "replicate", stride), stride) / 255 - 0.5
    return functional.normalize(torch.cat([cells, cells.roll(1, 1) * cells, cells**2], 1), dim=1)


class StubModel(torch.nn.Module):
    """E gives colours, V the cell means of the mask, D adds its inputs; every call is written down."""

    def __init__(self, gain=8.0):
        super().__init__()
        self.gain, self.calls = gain, []
        self.encoder, self.mask_encoder, self.decoder = self._encode, self._embed, self._decode

    def _encode(self, images):
        self.calls.append(SimpleNamespace(name="E", images=images))
        key = functional.normalize(functional.avg_pool2d(images, STRIDE), dim=1)
        return Features(key, key, key, functional.avg_pool2d(images, 4))

    def _embed(self, images, masks):
        cells = functional.avg_pool2d(masks, STRIDE)
        self.calls.append(SimpleNamespace(name="V", masks=masks, output=cells))
        return cells.repeat(1, 2, 1, 1)

    def _decode(self, readout, own, skip8, skip4, mask):
        self.calls.append(SimpleNamespace(name="D", readout=readout, own=own, skip8=skip8, skip4=skip4, mask=mask))
        logits = self.gain * ((readout + own).mean(1, keepdim=True) - 0.5)
        return functional.interpolate(logits, scale_factor=STRIDE, mode="bilinear")

    def named(self, name):
        return [call for call in self.calls if call.name == name]
