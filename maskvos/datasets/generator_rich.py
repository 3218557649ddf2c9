"""Rich generated videos: what plain ones leave out of the real world, so that what is learned on them carries over.

Figures with limbs, materials over several scales, cluttered backgrounds, things that move and are no object, others
that pass in front, a camera that pans, turns and zooms, light from a side with cast shadows, exposure over a part of a
frame's time. Masks stay exact, at the middle of the exposure.
"""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from maskvos.datasets.generator_figures import Figure
from maskvos.datasets.generator_look import Look
from maskvos.datasets.generator_motion import Motion

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
        ids = np.zeros((len(rows), columns.shape[1]), np.uint8)
        for layer in self.layers:
            if layer.figure is not None:
                ids[layer.figure.inside(frame, *self._see(layer, frame, rows, columns))] = layer.label
        return ids

    def draw(self, frame: int) -> tuple[np.ndarray, np.ndarray]:
        """One frame: RGB (H, W, 3) uint8 and its exact ids (H, W) uint8."""
        moments = frame + self.look.shutter * ((np.arange(EXPOSURES) + 0.5) / EXPOSURES - 0.5)
        image = np.stack([self._compose(float(moment)) for moment in moments]).mean(axis=0)
        return self.look.photograph(image, frame), self.mask(frame)

    def _see(
        self, layer: RichLayer, frame: float, rows: np.ndarray, columns: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        v, u = self.camera.coordinates(frame, rows, columns)
        return layer.motion.coordinates(frame, v + self.height / 2, u + self.width / 2)

    def _compose(self, moment: float) -> np.ndarray:
        rows, columns = np.arange(self.height)[:, None], np.arange(self.width)[None]
        image = np.empty((self.height, self.width, 3), np.float32)
        for layer, texture in zip(self.layers, self._wrapped, strict=True):
            v, u = self._see(layer, moment, rows, columns)
            side = np.float32(texture.shape[0] - 1)
            colours = cv2.remap(texture, np.mod(u, side), np.mod(v, side), cv2.INTER_LINEAR).astype(np.float32)
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
        return [cv2.copyMakeBorder(layer.texture, 0, 1, 0, 1, cv2.BORDER_WRAP) for layer in self.layers]
