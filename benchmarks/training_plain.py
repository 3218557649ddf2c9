"""Each stage's samples as one writes them first: PIL reads and decodes, torchvision's transforms do the rest.

Same frames from the same store, same number, size and range of crops, same probabilities. A sample is what a training
loop takes: uint8 tensors, as ours are, so that neither side pays for a conversion that the other leaves to the GPU.
"""

import io
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms import v2 as transforms

from maskvos.params.method import BackbonePretraining, Cropping
from maskvos.storage.frames import FrameStore
from maskvos.training import multicrop


def read_image(store: FrameStore, index: int) -> Image.Image:
    """A frame decoded by PIL."""
    shard, offset, length, _ = (int(value) for value in store._places[index])
    return Image.open(io.BytesIO(store._bytes(shard, offset, length))).convert("RGB")


class PlainMultiCrop:
    """DINO's crops: `RandomResizedCrop`, `ColorJitter`, `RandomGrayscale`, `GaussianBlur`, `RandomSolarize`."""

    def __init__(self, store: FrameStore, settings: BackbonePretraining) -> None:
        self.store = store
        size, scale = settings.global_size, settings.global_scale
        first, other = _view(size, scale, 1.0, 0.0), _view(size, scale, 0.1, 0.2)
        local = _view(settings.local_size, settings.local_scale, 0.5, 0.0)
        self.views = {
            "global_crops": [first] + [other] * (settings.global_crops - 1),
            "local_crops": [local] * settings.local_crops,
        }

    def __call__(self, index: int, _rng: np.random.Generator, _step: int = 0) -> dict[str, Tensor]:
        """One sample; random numbers are torch's own."""
        image = read_image(self.store, index)
        return {name: torch.stack([view(image) for view in views]) for name, views in self.views.items() if views}


def _view(size: int, scale: Any, blur: float, solarise: float) -> Callable[[Image.Image], Tensor]:
    jitter = transforms.ColorJitter(multicrop.BRIGHTNESS, multicrop.CONTRAST, multicrop.SATURATION, multicrop.HUE)
    return transforms.Compose(
        [
            transforms.RandomResizedCrop(size, tuple(scale), interpolation=InterpolationMode.BICUBIC),
            transforms.RandomHorizontalFlip(multicrop.FLIP),
            transforms.RandomApply([jitter], multicrop.JITTER),
            transforms.RandomGrayscale(multicrop.GREY),
            transforms.RandomApply([transforms.GaussianBlur(23, multicrop.SIGMA)], blur),
            transforms.RandomSolarize(128, solarise),
            transforms.PILToTensor(),
        ]
    )


class PlainFrames:
    """Frames of one clip, resized whole to a random short side, cut to one square and flipped alike.

    Args:
        store: frames.
        cropping: of the stage.
        positions: (random generator, number of frames of a clip) -> positions in it; as our sampler draws them.
        name: the entry of the sample.
    """

    def __init__(
        self,
        store: FrameStore,
        cropping: Cropping,
        positions: Callable[[np.random.Generator, int], Any],
        name: str,
    ) -> None:
        self.store, self.cropping, self.positions, self.name = store, cropping, positions, name

    def __call__(self, clip_number: int, rng: np.random.Generator, _step: int = 0) -> dict[str, Tensor]:
        """One sample."""
        clip, size = self.store.clips[clip_number], self.cropping.crop
        low, high = self.cropping.short_side
        short, flip = random.randint(int(low), int(high)), random.random() < 0.5
        images, corner = [], None
        for position in self.positions(rng, len(clip.frames)):
            image = transforms.functional.resize(read_image(self.store, clip.start + int(position)), [short])
            corner = corner or transforms.RandomCrop.get_params(image, (size, size))
            image = transforms.functional.crop(image, *corner)
            image = transforms.functional.hflip(image) if flip else image
            images.append(transforms.functional.pil_to_tensor(image))
        return {self.name: torch.stack(images)}
