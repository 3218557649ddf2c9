"""Light and camera of rich generated videos."""

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Look:
    """One video's. Sizes are in pixels."""

    shutter: float  # part of a frame's time
    blur: float
    noise: float
    gain: np.ndarray  # (3,) of the colours
    swing: float  # of the brightness
    rate: float
    phase: float
    light: np.ndarray  # (2,) v, u: where the light comes from, length up to 1
    shadow: float  # darkness, 0 to 1
    seed: int

    def shadow_of(self, covered: np.ndarray, radius: float) -> np.ndarray:
        """Factor (H, W) by which a thing (bool (H, W), about ``radius``) darkens what is behind it."""
        v, u = -0.35 * radius * self.light
        moved = cv2.warpAffine(covered.astype(np.float32), np.array([[1, 0, u], [0, 1, v]]), covered.shape[::-1])
        return 1 - np.float32(self.shadow) * cv2.GaussianBlur(moved, (0, 0), max(0.5, 0.12 * radius))

    def shade_of(self, covered: np.ndarray, radius: float) -> np.ndarray:
        """Factor (H, W) by which a thing's own surface is lit, its blurred outline taken for its height."""
        height = cv2.GaussianBlur(covered.astype(np.float32), (0, 0), max(0.5, 0.35 * radius))
        slope_v, slope_u = np.gradient(height)
        facing = -np.float32(radius) * (slope_v * self.light[0] + slope_u * self.light[1])
        return 1 + np.float32(0.35) * np.clip(facing, -1, 1).astype(np.float32)

    def photograph(self, image: np.ndarray, frame: int) -> np.ndarray:
        """(H, W, 3) float32 -> uint8: defocus, colour and brightness, sensor noise."""
        level = self.gain * (1 + self.swing * np.sin(self.rate * frame + self.phase))
        if self.blur > 0.2:
            image = cv2.GaussianBlur(image, (0, 0), self.blur)
        grain = np.random.default_rng((self.seed, frame)).standard_normal(image.shape, np.float32)
        exposed = image * level.astype(np.float32) + np.float32(self.noise) * grain
        return np.round(exposed.clip(0, 255)).astype(np.uint8)


def draw_look(random: np.random.Generator) -> Look:
    """A random look."""
    angle, slant = random.uniform(0, 2 * np.pi), random.uniform(0.2, 1)
    return Look(
        shutter=random.uniform(0.1, 0.8),
        blur=random.uniform(0.0, 0.9),
        noise=random.uniform(0.5, 5),
        gain=random.uniform(0.75, 1.2) * random.uniform(0.9, 1.1, 3),
        swing=random.uniform(0.0, 0.2),
        rate=2 * np.pi / random.uniform(12, 60),
        phase=random.uniform(0, 2 * np.pi),
        light=slant * np.array([np.cos(angle), np.sin(angle)]),
        shadow=random.uniform(0.0, 0.6),
        seed=int(random.integers(0, 2**31)),
    )
