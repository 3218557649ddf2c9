"""DINO's crops of one frame, from a random generator that is handed in."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from maskvos.params.method import BackbonePretraining
from maskvos.training.order import Sample

Generator = np.random.Generator


@dataclass(frozen=True)
class View:
    """How one crop is made: side in pixels, range of its area in the frame's, probabilities of blur and solarisation.

    ``usual_side`` is DINO's side of such a crop: its blur is meant for that many pixels and shrinks with smaller ones.
    """

    side: int
    scale: tuple[float, float]
    blur: float
    solarise: float
    usual_side: int


# DINO's probabilities, Caron et al., appendix "Implementation details" and code: those of BYOL, local crops added.
FLIP, JITTER, GREY = 0.5, 0.8, 0.2
BRIGHTNESS, CONTRAST, SATURATION, HUE = 0.4, 0.4, 0.2, 0.1
SIGMA = (0.1, 2.0)
RATIO = (3 / 4, 4 / 3)


class MultiCrop:
    """(frame number, generator) -> ``global_crops`` (G, 3, S, S) and, if there are any, ``local_crops`` (L, 3, s, s).

    All uint8 RGB; the frame is decoded once.

    Args:
        read: frame number -> (H, W, 3) uint8 RGB, such as `FrameStore.read`.
        settings: number, size and scale of the crops.
    """

    def __init__(self, read: Callable[[int], np.ndarray], settings: BackbonePretraining) -> None:
        self._read = read
        low, high = settings.global_scale
        usual = (settings.global_size, (low, high))
        first, others = View(*usual, 1.0, 0.0, 224), View(*usual, 0.1, 0.2, 224)
        self._globals = [first] + [others] * (settings.global_crops - 1)
        low, high = settings.local_scale
        self._locals = [View(settings.local_size, (low, high), 0.5, 0.0, 96)] * settings.local_crops

    def __call__(self, index: int, generator: Generator, _step: int = 0) -> Sample:
        """The crops of one frame; every step draws alike."""
        frame = self._read(index)
        sample = {"global_crops": np.stack([crop(frame, view, generator) for view in self._globals])}
        if self._locals:
            sample["local_crops"] = np.stack([crop(frame, view, generator) for view in self._locals])
        return sample


def crop(frame: np.ndarray, view: View, generator: Generator) -> np.ndarray:
    """One augmented crop: (H, W, 3) uint8 -> (3, side, side) uint8."""
    top, left, height, width = random_box(frame.shape[0], frame.shape[1], view.scale, generator)
    part = frame[top : top + height, left : left + width]
    shrinks = height * width > view.side**2
    image = cv2.resize(part, (view.side, view.side), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    if generator.random() < FLIP:
        image = cv2.flip(image, 1)
    if generator.random() < JITTER:
        image = jitter(image, generator)
    if generator.random() < GREY:
        image = _grey(image)
    if generator.random() < view.blur:
        sigma = generator.uniform(*SIGMA) * view.side / view.usual_side
        image = cv2.GaussianBlur(image, (0, 0), sigma)
    if generator.random() < view.solarise:
        image = np.where(image < 128, image, 255 - image)
    return np.ascontiguousarray(image.transpose(2, 0, 1))


def random_box(height: int, width: int, scale: tuple[float, float], generator: Generator) -> tuple[int, int, int, int]:
    """Top, left, height and width of a box with U[scale] of the area and a log-uniform aspect ratio (Inception crop).

    After ten boxes that do not fit, the largest centred box of an allowed ratio.
    """
    for _ in range(10):
        area = height * width * generator.uniform(*scale)
        ratio = math.exp(generator.uniform(math.log(RATIO[0]), math.log(RATIO[1])))
        box_width, box_height = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < box_width <= width and 0 < box_height <= height:
            top = int(generator.integers(height - box_height + 1))
            left = int(generator.integers(width - box_width + 1))
            return top, left, box_height, box_width
    box_width, box_height = min(width, round(height * RATIO[1])), min(height, round(width / RATIO[0]))
    return (height - box_height) // 2, (width - box_width) // 2, box_height, box_width


def jitter(image: np.ndarray, generator: Generator) -> np.ndarray:
    """Brightness, contrast, saturation and hue, each by a random amount, in random order."""
    for operation in generator.permutation(4):
        if operation == 0:
            image = _blend(image, image, generator.uniform(1 - BRIGHTNESS, 1 + BRIGHTNESS), 0.0, 0.0)
        elif operation == 1:
            factor = generator.uniform(1 - CONTRAST, 1 + CONTRAST)
            mean = float(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).mean())
            image = _blend(image, image, factor, 0.0, (1 - factor) * mean)
        elif operation == 2:
            factor = generator.uniform(1 - SATURATION, 1 + SATURATION)
            image = _blend(image, _grey(image), factor, 1 - factor, 0.0)
        else:
            image = turn_hue(image, generator.uniform(-HUE, HUE))
    return image


def turn_hue(image: np.ndarray, turn: float) -> np.ndarray:
    """Hue moved by ``turn`` of the colour circle, saturation and value kept; uint8 RGB."""
    colours = cv2.cvtColor(image, cv2.COLOR_RGB2HSV_FULL)
    colours[..., 0] += np.uint8(round(turn * 256) % 256)  # uint8 wraps around, as the circle does
    return cv2.cvtColor(colours, cv2.COLOR_HSV2RGB_FULL)


def _blend(image: np.ndarray, other: np.ndarray, weight: float, other_weight: float, offset: float) -> np.ndarray:
    return cv2.addWeighted(image, weight, other, other_weight, offset)  # rounds and saturates


def _grey(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
