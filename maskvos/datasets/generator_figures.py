"""Shapes of the objects in rich generated videos: a body of blobs with limbs that swing at their joints."""

from dataclasses import dataclass

import numpy as np

from maskvos.datasets.generator_motion import Wave
from maskvos.datasets.generator_scene import Outline, draw_outline


@dataclass(frozen=True)
class Limb:
    """A tapering stroke from a joint."""

    joint: np.ndarray  # (2,) v, u in pixels of the object
    length: float
    width: float  # half of it, at the joint
    angle: float
    swing: Wave  # (1,) radians

    def inside(self, frame: float, v: np.ndarray, u: np.ndarray) -> np.ndarray:
        """Which of the layer's coordinates (h, w) belong to it: bool (h, w)."""
        angle = self.angle + self.swing.at(frame)[0]
        down, across = v - np.float32(self.joint[0]), u - np.float32(self.joint[1])
        cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        along, aside = cosine * down + sine * across, cosine * across - sine * down
        reach = np.clip(along / np.float32(self.length), 0, 1)
        limit = np.float32(self.width) * (1 - 0.6 * reach)
        return np.hypot(aside, along - reach * np.float32(self.length)) < limit


@dataclass(frozen=True)
class Figure:
    """A body and its limbs."""

    body: Outline
    limbs: list[Limb]

    @property
    def radius(self) -> float:
        """Of the body."""
        return self.body.radius

    def inside(self, frame: float, v: np.ndarray, u: np.ndarray) -> np.ndarray:
        """Which of the layer's coordinates (h, w) belong to the object: bool (h, w)."""
        covered = self.body.inside(frame, v, u)
        for limb in self.limbs:
            covered |= limb.inside(frame, v, u)
        return covered


def draw_figure(random: np.random.Generator, radius: float, limbs: int) -> Figure:
    """A random figure with so many limbs around its body."""
    turns = (np.arange(limbs) + random.uniform(-0.3, 0.3, limbs)) / max(1, limbs)
    angles = random.uniform(0, 2 * np.pi) + 2 * np.pi * turns
    body = draw_outline(random, (0.9 * radius, 1.1 * radius))
    return Figure(body, [_draw_limb(random, radius, float(angle)) for angle in angles])


def _draw_limb(random: np.random.Generator, radius: float, angle: float) -> Limb:
    return Limb(
        joint=0.6 * radius * np.array([np.cos(angle), np.sin(angle)]),
        length=radius * random.uniform(0.7, 1.6),
        width=radius * random.uniform(0.12, 0.3),
        angle=angle,
        swing=Wave.draw(random, random.uniform(0.1, 0.7, 1), (8, 24)),
    )
