"""One generated video: layers, their order, and how they become frames with exact masks."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from maskvos.datasets.generator_motion import Excursion, Motion, Wave
from maskvos.datasets.generator_textures import (
    KINDS,
    WAVELENGTHS,
    close_seam,
    look_up,
    make_palette,
    make_texture,
)


@dataclass(frozen=True)
class Outline:
    """A blob: radius as a Fourier series of the direction, whose coefficients swing with time."""

    radius: float
    stretch: float
    series: Wave  # (4,) relative amplitudes of cos(k * direction), k = 2..5
    shift: np.ndarray  # (4,) radians

    @property
    def reach(self) -> float:
        """No point of it is farther than this from its middle, at any time."""
        return self.radius * max(self.stretch, 1 / self.stretch) * (1 + float(np.abs(self.series.amplitude).sum()))

    def inside(self, frame: float, v: np.ndarray, u: np.ndarray) -> np.ndarray:
        """Which of the layer's coordinates (h, w) belong to the object: bool (h, w)."""
        v, u = v * np.float32(self.stretch), u / np.float32(self.stretch)
        direction = np.arctan2(v, u)
        limit = np.ones_like(direction)
        swing = 0.7 + 0.3 * np.sign(self.series.amplitude) * np.sin(self.series.rate * frame + self.series.phase)
        for order, (amplitude, shift) in enumerate(zip(self.series.amplitude * swing, self.shift, strict=True), 2):
            limit += np.float32(amplitude) * np.cos(order * direction + np.float32(shift))
        return np.hypot(v, u) < np.float32(self.radius) * limit


@dataclass(frozen=True)
class Layer:
    """One object, or the background where ``outline`` is None."""

    motion: Motion
    outline: Outline | None
    kind: str
    wavelength: float  # of the texture, pixels
    texture_seed: int


@dataclass(frozen=True)
class Scene:
    """A video before it is drawn. ``layers[0]`` is the background; objects 1, 2, ... cover the ones before."""

    height: int
    width: int
    layers: list[Layer]
    appearance_seed: int

    @property
    def radii(self) -> list[float]:
        """Of the objects, in pixels, by label."""
        return [layer.outline.radius for layer in self.layers if layer.outline is not None]

    def mask(self, frame: int, step: int = 1) -> np.ndarray:
        """Object ids (ceil(H / step), ceil(W / step)) uint8, sampled at every ``step``-th pixel."""
        rows, columns = np.mgrid[0 : self.height : step, 0:1][0], np.mgrid[0:1, 0 : self.width : step][1]
        ids = np.zeros((len(rows), columns.shape[1]), np.uint8)
        for label, layer in enumerate(self.layers):
            if layer.outline is not None:
                ids[layer.outline.inside(frame, *layer.motion.coordinates(frame, rows, columns))] = label
        return ids

    def draw(self, frame: int) -> tuple[np.ndarray, np.ndarray]:
        """One frame: RGB (H, W, 3) uint8 and its exact ids (H, W) uint8."""
        rows, columns = np.arange(self.height)[:, None], np.arange(self.width)[None]
        image = np.empty((self.height, self.width, 3), np.uint8)
        ids = np.zeros((self.height, self.width), np.uint8)
        for label, (layer, texture) in enumerate(zip(self.layers, self._textures, strict=True)):
            v, u = layer.motion.coordinates(frame, rows, columns)
            colours = look_up(texture, v, u)
            covered = slice(None) if layer.outline is None else layer.outline.inside(frame, v, u)
            image[covered] = colours[covered]
            ids[covered] = label
        return self._photograph(image, frame), ids

    @cached_property
    def _textures(self) -> list[np.ndarray]:
        palette = make_palette(np.random.default_rng(self.appearance_seed))
        size = 1 << int(np.ceil(np.log2(max(self.height, self.width))))
        textures = [
            make_texture(np.random.default_rng(layer.texture_seed), layer.kind, palette, size, layer.wavelength)
            for layer in self.layers
        ]
        return [close_seam(texture) for texture in textures]

    def _photograph(self, image: np.ndarray, frame: int) -> np.ndarray:
        """Lighting that changes slowly, a little blur and sensor noise; edges stay where the mask has them."""
        random = np.random.default_rng((self.appearance_seed, 1))
        blur, noise = random.uniform(0.4, 0.8), random.uniform(1, 4)
        rate, phase = 2 * np.pi / random.uniform(20, 60, 3), random.uniform(0, 2 * np.pi, 3)
        level, tilt_y, tilt_x = 0.08 * np.sin(rate * frame + phase)
        light = 1 + level + tilt_y * np.linspace(-1, 1, self.height)[:, None]
        light = light + tilt_x * np.linspace(-1, 1, self.width)[None]
        grain = np.random.default_rng((self.appearance_seed, 2, frame)).standard_normal(image.shape, np.float32)
        exposed = (
            cv2.GaussianBlur(image, (5, 5), blur) * light[..., None].astype(np.float32) + np.float32(noise) * grain
        )
        return np.round(exposed.clip(0, 255)).astype(np.uint8)


def draw_scene(random: np.random.Generator, size: tuple[int, int], frames: int, max_objects: int, late: bool) -> Scene:
    """A random scene.

    Args:
        random: source of randomness, advanced.
        size: height, width in pixels.
        frames: length of the video.
        max_objects: 1 to so many objects.
        late: whether the last of several objects may enter after the first frame.
    """
    height, width = size
    unit = min(size)
    count = int(random.integers(1, max_objects + 1))
    # no two layers of a video share both kind and wavelength while there are enough of them
    kinds = np.resize(random.permutation(KINDS), count + 1)
    wavelengths = unit * np.resize(random.permutation(WAVELENGTHS), count + 1) * random.uniform(0.9, 1.1, count + 1)
    seeds = random.integers(0, 2**31, count + 2)
    layers = [Layer(_background_motion(random, size), None, str(kinds[0]), wavelengths[0], int(seeds[0]))]
    leaver = int(random.integers(1, count + 1)) if random.random() < 0.4 else 0
    for label in range(1, count + 1):
        excursion = None
        if late and label == count > 1 and random.random() < 0.7:
            start = random.uniform(0.15, 0.45) * frames
            excursion = Excursion(way_out(random, size), (-np.inf, start), 4)
        elif label == leaver:
            middle = random.uniform(0.4, 0.7) * frames
            excursion = Excursion(way_out(random, size), (middle - 2, middle + 2), 5)
        layers.append(
            Layer(
                _object_motion(random, size, excursion),
                draw_outline(random, (0.19 * unit, 0.27 * unit)),
                str(kinds[label]),
                wavelengths[label],
                int(seeds[label]),
            )
        )
    return Scene(height, width, layers, int(seeds[-1]))


def draw_outline(random: np.random.Generator, radius: tuple[float, float]) -> Outline:
    """A random blob with a radius from the range."""
    amplitude = random.uniform(0.05, 0.22, 4) / np.array([1, 1, 1.5, 2])
    return Outline(
        radius=random.uniform(*radius),
        stretch=float(np.exp(random.uniform(-0.3, 0.3))),
        series=Wave.draw(random, amplitude, (12, 30)),
        shift=random.uniform(0, 2 * np.pi, 4),
    )


def _object_motion(random: np.random.Generator, size: tuple[int, int], excursion: Excursion | None) -> Motion:
    extent = np.array(size, float)
    unit = min(size)
    return Motion(
        centre=extent / 2 + extent * random.uniform(-0.12, 0.12, 2),
        path=Wave.draw(random, extent * random.uniform(0.18, 0.32, 2), (32, 64)),
        angle=random.uniform(0, 2 * np.pi),
        turn=Wave.draw(random, random.uniform(0.1, 0.45, 1), (30, 60)),
        zoom=Wave.draw(random, random.uniform(0.05, 0.18, 1), (24, 50)),
        drift=np.zeros(2),
        bend=Wave.draw(random, np.full((2, 3), unit * 0.009), (10, 30)),
        ripple=random.uniform(-1, 1, (2, 3, 2)) * 2 * np.pi / (0.4 * unit),
        excursion=excursion,
    )


def _background_motion(random: np.random.Generator, size: tuple[int, int]) -> Motion:
    unit = min(size)
    return Motion(
        centre=np.array(size, float) / 2,
        path=Wave.draw(random, unit * random.uniform(0.05, 0.15, 2), (20, 50)),
        angle=random.uniform(0, 2 * np.pi),
        turn=Wave.draw(random, random.uniform(0.0, 0.15, 1), (30, 60)),
        zoom=Wave.draw(random, random.uniform(0.0, 0.12, 1), (30, 60)),
        drift=unit * random.uniform(-0.012, 0.012, 2),
        bend=Wave.draw(random, np.full((2, 3), unit * 0.01), (15, 40)),
        ripple=random.uniform(-1, 1, (2, 3, 2)) * 2 * np.pi / (0.5 * unit),
    )


def way_out(random: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """A displacement that takes an object off the frame from wherever it is."""
    axis, sign = int(random.integers(2)), random.choice([-1.0, 1.0])
    direction = np.zeros(2)
    direction[axis] = sign * 1.5 * size[axis]
    return direction
