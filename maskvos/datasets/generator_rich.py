"""Rich generated videos: what plain ones leave out of the real world, so that what is learned on them carries over.

Figures with limbs, materials over several scales, cluttered backgrounds, things that move and are no object, others
that pass in front, a camera that pans, turns and zooms, light from a side with cast shadows, exposure over a part of a
frame's time. Masks stay exact, at the middle of the exposure.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from maskvos.datasets.generator_figures import Figure
from maskvos.datasets.generator_look import Look
from maskvos.datasets.generator_motion import Motion
from maskvos.datasets.generator_textures import close_seam, look_up

EXPOSURES = 3  # moments that a frame is the mean of


@dataclass(frozen=True)
class RichLayer:
    """One thing: ``label`` 0 is none of the objects; the background has no figure."""

    motion: Motion
    figure: Figure | None
    label: int
    texture: np.ndarray  # (S, S, 3) uint8, repeats


@dataclass(frozen=True)
class RichScene:
    """A video before it is drawn; ``layers`` from the background to the front."""

    height: int
    width: int
    camera: Motion
    layers: list[RichLayer]
    look: Look

    @property
    def radii(self) -> list[float]:
        """Of the objects' bodies, by label."""
        return [layer.figure.radius for layer in self.layers if layer.label and layer.figure is not None]

    def mask(self, frame: float, step: int = 1) -> np.ndarray:
        """Object ids (ceil(H / step), ceil(W / step)) uint8, sampled at every ``step``-th pixel."""
        rows, columns = np.arange(0, self.height, step)[:, None], np.arange(0, self.width, step)[None]
        ids, world = np.zeros((len(rows), columns.shape[1]), np.uint8), self._world(frame, rows, columns)
        for layer in self.layers:
            if layer.figure is not None:
                ids[layer.figure.inside(frame, *layer.motion.coordinates(frame, *world))] = layer.label
        return ids

    def draw(self, frame: int) -> tuple[np.ndarray, np.ndarray]:
        """One frame: RGB (H, W, 3) uint8 and its exact ids (H, W) uint8."""
        moments = frame + self.look.shutter * ((np.arange(EXPOSURES) + 0.5) / EXPOSURES - 0.5)
        image = np.stack([self._compose(float(moment)) for moment in moments]).mean(axis=0)
        return self.look.photograph(image, frame), self.mask(frame)

    def _world(self, frame: float, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the camera sees each pixel, (h, w) each: what all layers move in."""
        v, u = self.camera.coordinates(frame, rows, columns)
        return v + self.height / 2, u + self.width / 2

    def _compose(self, moment: float) -> np.ndarray:
        rows, columns = np.arange(self.height)[:, None], np.arange(self.width)[None]
        image, world = np.empty((self.height, self.width, 3), np.float32), self._world(moment, rows, columns)
        for layer, texture in zip(self.layers, self._wrapped, strict=True):
            v, u = layer.motion.coordinates(moment, *world)
            colours = look_up(texture, v, u).astype(np.float32)
            if layer.figure is None:
                image[:] = colours
                continue
            covered = layer.figure.inside(moment, v, u)
            image *= self.look.shadow_of(covered, layer.figure.radius)[..., None]
            shade = self.look.shade_of(covered, layer.figure.radius)
            image[covered] = (colours * shade[..., None])[covered]
        return image

    @cached_property
    def _wrapped(self) -> list[np.ndarray]:
        return [close_seam(layer.texture) for layer in self.layers]
