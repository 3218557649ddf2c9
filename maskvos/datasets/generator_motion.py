"""How the layers of a generated video move: path, rotation, scale, bending, and leaving the frame."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Wave:
    """A slow oscillation ``amplitude * sin(rate * t + phase)`` for each of its entries; t in frames."""

    amplitude: np.ndarray
    rate: np.ndarray
    phase: np.ndarray

    @classmethod
    def draw(cls, random: np.random.Generator, amplitude: np.ndarray, period: tuple[float, float]) -> "Wave":
        """Amplitudes as given, periods in frames drawn from the range, phases free."""
        rate = 2 * np.pi / random.uniform(*period, amplitude.shape)
        return cls(amplitude, rate, random.uniform(0, 2 * np.pi, amplitude.shape))

    def at(self, frame: float) -> np.ndarray:
        """Values at a frame, shaped as the amplitudes."""
        return self.amplitude * np.sin(self.rate * frame + self.phase)


@dataclass(frozen=True)
class Excursion:
    """A way out of the frame: fully away in ``frames`` (first, last), on the way in the ``ramp`` frames around them."""

    direction: np.ndarray  # (2,) y, x in pixels, long enough to leave the frame
    frames: tuple[float, float]
    ramp: float

    def at(self, frame: float) -> np.ndarray:
        """Displacement (2,) in pixels at a frame."""
        first, last = self.frames
        away = min(1.0, max(0.0, 1 - max(first - frame, frame - last) / self.ramp))
        return self.direction * (away * away * (3 - 2 * away))


@dataclass(frozen=True)
class Motion:
    """Everything that moves one layer."""

    centre: np.ndarray  # (2,) y, x
    path: Wave  # (2,) pixels
    angle: float
    turn: Wave  # (1,) radians
    zoom: Wave  # (1,) log of the scale
    drift: np.ndarray  # (2,) pixels a frame
    bend: Wave  # (2, 3) pixels: displacement of y and x by three ripples
    ripple: np.ndarray  # (2, 3, 2) their wave vectors, radians a pixel
    excursion: Excursion | None = None

    def coordinates(self, frame: float, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The layer's own coordinates (v, u) at frame pixels ``rows`` (h, 1), ``columns`` (1, w); each (h, w) float32.

        Texture and outline are both looked up with them, so the texture sticks to the object while both deform.
        """
        y, x = self.centre + self.path.at(frame) + self.drift * frame
        if self.excursion is not None:
            away = self.excursion.at(frame)
            y, x = y + away[0], x + away[1]
        angle = self.angle + self.turn.at(frame)[0]
        scale = np.exp(-self.zoom.at(frame)[0])
        cosine, sine = np.cos(angle) * scale, np.sin(angle) * scale
        v = (cosine * (rows - y) - sine * (columns - x)).astype(np.float32)
        u = (sine * (rows - y) + cosine * (columns - x)).astype(np.float32)
        amplitude = self.bend.at(frame).astype(np.float32)
        wave = self.ripple.astype(np.float32)
        phase = self.bend.phase.astype(np.float32)
        bent_v, bent_u = (
            sum(
                amplitude[axis, k] * np.sin(wave[axis, k, 0] * v + wave[axis, k, 1] * u + phase[axis, k])
                for k in range(3)
            )
            for axis in range(2)
        )
        return v + bent_v, u + bent_u
