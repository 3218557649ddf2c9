"""A generated set for `evaluation.py`: DAVIS layout, masks only, as long as DAVIS-2017 val and as many objects.

Smooth bodies with lobes move, deform, cross one another, leave the image and vanish for a while. The predictions are
the same bodies as a tracker sees them: shifted, too small or too large, ragged, with specks and holes, and missed at
times. Everything is drawn from seeds that the sequences' names give, so the same code makes the same set everywhere.
"""

import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from maskvos.datasets.davis import RESOLUTION
from maskvos.storage.atomic import atomic_folder
from maskvos.storage.masks import write_mask

SIZE = (480, 854)
VERSION = 1  # names the folder: a change of what is drawn makes another set

# Frames and objects of DAVIS-2017 val (1,999 and 61), sequence for sequence; lab-coat has three objects here instead of
# five: 59, as in earlier measurements of the peers.
SEQUENCES = {
    "bike-packing": (69, 2),
    "blackswan": (50, 1),
    "bmx-trees": (80, 2),
    "breakdance": (84, 1),
    "camel": (90, 1),
    "car-roundabout": (75, 1),
    "car-shadow": (40, 1),
    "cows": (104, 1),
    "dance-twirl": (90, 1),
    "dog": (60, 1),
    "dogs-jump": (66, 3),
    "drift-chicane": (52, 1),
    "drift-straight": (50, 1),
    "goat": (90, 1),
    "gold-fish": (78, 5),
    "horsejump-high": (50, 2),
    "india": (81, 3),
    "judo": (34, 2),
    "kite-surf": (50, 3),
    "lab-coat": (47, 3),
    "libby": (49, 1),
    "loading": (50, 3),
    "mbike-trick": (79, 2),
    "motocross-jump": (40, 2),
    "paragliding-launch": (80, 3),
    "parkour": (100, 1),
    "pigs": (79, 3),
    "scooter-black": (43, 2),
    "shooting": (40, 3),
    "soapbox": (99, 3),
}
ANGLES = np.linspace(0, 2 * np.pi, 180, endpoint=False)
HARMONICS = np.arange(2, 10)


@dataclass(frozen=True)
class Body:
    """An outline in polar form whose harmonics turn at their own rates, on a slow curve through the image."""

    radius: float  # pixels
    centre: np.ndarray  # (2,) x, y
    drift: np.ndarray  # (2,) pixels a frame
    sway: np.ndarray  # (2,) pixels
    lobes: np.ndarray  # (8,) amplitudes of the harmonics, shares of the radius
    phases: np.ndarray  # (8,)
    rates: np.ndarray  # (8,) radians a frame
    stretch: float
    hidden: range  # frames on which it is not there

    @classmethod
    def draw(cls, random: np.random.Generator, frames: int) -> "Body":
        """One body; a third of them vanish for a while after the first quarter."""
        height, width = SIZE
        away = int(random.integers(frames // 4, frames)) if random.random() < 1 / 3 else frames
        return cls(
            radius=float(np.exp(random.uniform(np.log(25), np.log(150)))),
            centre=random.uniform((0.2 * width, 0.2 * height), (0.8 * width, 0.8 * height)),
            drift=random.normal(0, 2.0, 2),
            sway=random.uniform(5, 80, 2),
            lobes=random.normal(0, 0.5, 8) / HARMONICS,
            phases=random.uniform(0, 2 * np.pi, 8),
            rates=random.normal(0, 0.08, 8),
            stretch=float(random.uniform(0.6, 1.6)),
            hidden=range(away, away + int(random.integers(3, 20))),
        )

    def outline(self, frame: int, shift: np.ndarray, growth: float, ragged: np.ndarray) -> np.ndarray:
        """(180, 2) corners x, y in pixels; ``growth`` pixels and ``ragged`` (180,) pixels are added to the radius."""
        turns = np.sin(HARMONICS[:, None] * ANGLES + (self.phases + self.rates * frame)[:, None])
        reach = np.maximum(self.radius * (1 + self.lobes @ turns), 2) + growth + ragged
        middle = self.centre + self.drift * frame + self.sway * np.sin(self.rates[:2] * frame) + shift
        directions = np.stack([np.cos(ANGLES) * self.stretch, np.sin(ANGLES)], axis=1)
        return middle + np.maximum(reach, 0)[:, None] * directions


def paint(mask: np.ndarray, outline: np.ndarray, identity: int) -> None:
    """Fill an outline (n, 2) with an id, to 1/16 pixel."""
    cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], identity, shift=4)


def draw_truth(bodies: list[Body], frame: int) -> np.ndarray:
    """(480, 854) uint8 ids; of two bodies that cross, the higher id is in front."""
    mask = np.zeros(SIZE, np.uint8)
    for identity, body in enumerate(bodies, start=1):
        if frame not in body.hidden:
            paint(mask, body.outline(frame, np.zeros(2), 0, np.zeros(len(ANGLES))), identity)
    return mask


def draw_prediction(bodies: list[Body], frame: int, random: np.random.Generator) -> np.ndarray:
    """(480, 854) uint8 ids as a tracker might give them; one object in 25 is missed, 2 in 5 have specks or holes."""
    mask = np.zeros(SIZE, np.uint8)
    for identity, body in enumerate(bodies, start=1):
        specks = [random.uniform(0, SIZE[::-1]) + random.uniform(0, 12, (5, 2)) for _ in range(random.integers(1, 5))]
        ragged = np.convolve(random.normal(0, 2.5, len(ANGLES) + 2), [0.25, 0.5, 0.25], "valid")
        outline = body.outline(frame, random.normal(0, 3, 2), random.normal(0, 3), ragged)
        kind, seen = random.random(), random.random() > 0.04 and frame not in body.hidden
        if seen:
            paint(mask, outline, identity)
        for speck in specks if kind < 0.2 else ():
            paint(mask, speck, identity)
        if seen and 0.2 < kind < 0.4:
            paint(mask, outline.mean(0) + (outline[::36] - outline.mean(0)) * 0.2, 0)
    return mask


def draw_bodies(random: np.random.Generator, frames: int, objects: int) -> list[Body]:
    """Bodies from large to small, drawn anew until each of them is seen in the first frame."""
    while True:
        bodies = sorted((Body.draw(random, frames) for _ in range(objects)), key=lambda body: -body.radius)
        if len(np.unique(draw_truth(bodies, 0))) == objects + 1:
            return bodies


def make_set(folder: Path, sequences: dict[str, tuple[int, int]] = SEQUENCES) -> tuple[Path, Path]:
    """The set's root and its folder of predictions; made where they are not there yet.

    The images are empty files: the official evaluator counts them and opens none.
    """
    target = folder / f"evaluation-set-{VERSION}"
    if not target.is_dir():
        with atomic_folder(target, each_file=False) as partial:
            for name, (frames, objects) in sequences.items():
                _make_sequence(partial, name, frames, objects)
            lists = partial / "davis" / "ImageSets" / "2017"
            lists.mkdir(parents=True)
            (lists / "val.txt").write_text("".join(f"{name}\n" for name in sequences))
    return target / "davis", target / "predictions"


def _make_sequence(folder: Path, name: str, frames: int, objects: int) -> None:
    random = np.random.default_rng(zlib.crc32(name.encode()))
    bodies = draw_bodies(random, frames, objects)
    images = folder / "davis" / "JPEGImages" / RESOLUTION / name
    images.mkdir(parents=True)
    for frame in range(frames):
        file = f"{frame:05d}"
        (images / f"{file}.jpg").touch()
        write_mask(folder / "davis" / "Annotations" / RESOLUTION / name / f"{file}.png", draw_truth(bodies, frame))
        write_mask(folder / "predictions" / name / f"{file}.png", draw_prediction(bodies, frame, random))
