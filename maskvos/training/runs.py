"""Samples of the photometric and the cycle regime: a run of frames of one clip, seen through one crop."""

import cv2
import numpy as np

from maskvos.params.method import Correspondence, Cropping
from maskvos.storage.frames import FrameStore
from maskvos.training.batch_cropping import cut_frames, largest_cut
from maskvos.training.cropping import Crop, crop_image, random_crop, random_zoom
from maskvos.training.order import Sample

STRIDE = 8  # of E's features
COLOUR_RANGE = 127.0  # what MAST's release divides a and b by; those of RGB images stay within 108


def draw_run(rng: np.random.Generator, length: int, count: int, max_gap: int) -> list[int]:
    """``count`` rising positions at one gap of 1..max_gap, as far as the clip's length allows that gap.

    A clip of fewer than ``count`` frames is walked to and fro: neighbours stay neighbours.
    """
    largest = max(1, min(max_gap, (length - 1) // (count - 1)))
    gap = int(rng.integers(1, largest + 1))
    room = length - gap * (count - 1)
    first = int(rng.integers(0, room if room > 0 else length))
    there_and_back = 2 * (length - 1)
    steps = [(first + gap * number) % there_and_back for number in range(count)]
    return [min(step, there_and_back - step) for step in steps]


def drop_channel(images: np.ndarray, channel: int) -> tuple[np.ndarray, np.ndarray]:
    """Lab without one of its colour channels, as RGB, and that channel by itself.

    MAST drops a or b of the networks' Lab input and has it reconstructed. E takes RGB, here as everywhere else (DINO's
    weights before, test frames after), so what is left is turned back into it; MAST's scaling of the channels that stay
    by 3/2 would leave RGB's range and falls away.

    Args:
        images: (T, 3, H, W) uint8 RGB.
        channel: 1 for a (green to red), 2 for b (blue to yellow).

    Returns:
        (T, 3, H, W) uint8 RGB; and (T, 1, H/8, W/8) float32 in [-1, 1], the channel where E's features are centred:
        every eighth pixel (MAST samples so too instead of averaging, to keep colours and features aligned).
    """
    left, dropped = np.empty_like(images), []
    for number, image in enumerate(images):
        lab = cv2.cvtColor(image.transpose(1, 2, 0).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        dropped.append(lab[None, ::STRIDE, ::STRIDE, channel] / COLOUR_RANGE)
        lab[..., channel] = 0
        rgb = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
        left[number] = np.rint(255 * rgb.clip(0, 1)).astype(np.uint8).transpose(2, 0, 1)
    return left, np.stack(dropped)


class _RunSampler:
    """One crop and flip for ``count`` frames of a clip."""

    def __init__(self, store: FrameStore, cropping: Cropping, count: int, max_gap: int) -> None:
        self.store, self.cropping = store, cropping
        self.count, self.max_gap = count, max_gap

    def draw(self, clip_number: int, rng: np.random.Generator) -> tuple[list[int], Crop]:
        """Numbers of the frames, and their crop."""
        clip = self.store.clips[clip_number]
        positions = draw_run(rng, len(clip.frames), self.count, self.max_gap)
        crop = random_crop(rng, clip.height, clip.width, self.cropping)
        return [clip.start + position for position in positions], crop


class PhotometricSampler(_RunSampler):
    """``frames`` (N+1, 3, S, S) uint8, the N references and the target, with one Lab channel (a or b) neutral in all;
    ``colours`` (N+1, 1, S/8, S/8), that channel. Resized here, not on the device: the channel is taken from the result.
    """

    def __init__(self, store: FrameStore, settings: Correspondence, cropping: Cropping) -> None:
        super().__init__(store, cropping, settings.photometric.references + 1, settings.photometric.max_gap)

    def __call__(self, clip_number: int, rng: np.random.Generator, _step: int = 0) -> Sample:
        """One sample; every step draws alike."""
        numbers, crop = self.draw(clip_number, rng)
        images = np.stack([crop_image(self.store.read(number), crop, self.cropping.crop) for number in numbers])
        frames, colours = drop_channel(images, int(rng.integers(1, 3)))
        return {"frames": frames, "colours": colours}


class CycleSampler(_RunSampler):
    """The cuts of `cut_frames` of T frames in order; ``zoom`` (3,) and ``zoom_flip`` of Phi; ``edges``, a seed."""

    def __init__(self, store: FrameStore, settings: Correspondence, cropping: Cropping) -> None:
        super().__init__(store, cropping, settings.cycle.frames, settings.cycle.max_gap)
        self.room = largest_cut(store.clips, cropping)

    def __call__(self, clip_number: int, rng: np.random.Generator, _step: int = 0) -> Sample:
        """One sample; every step draws alike."""
        numbers, crop = self.draw(clip_number, rng)
        cuts = cut_frames(self.store.read, numbers, crop, self.room)
        return {**cuts, **random_zoom(rng, self.cropping), "edges": int(rng.integers(2**63))}
