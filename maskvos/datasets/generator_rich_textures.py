"""Textures of rich generated videos: noise over several scales, stripes, and collages of patches."""

import cv2
import numpy as np

from maskvos.datasets.generator_scene import Outline, draw_outline
from maskvos.datasets.generator_textures import band


def make_material(random: np.random.Generator, size: int, unit: float) -> np.ndarray:
    """A texture that repeats without a seam, in colours of its own.

    Args:
        random: source of randomness, advanced.
        size: side in pixels.
        unit: short side of the frame in pixels, which the coarsest noise is a part of.

    Returns:
        (size, size, 3) uint8 RGB.
    """
    octaves = int(random.integers(3, 6))
    coarsest, persistence = unit * random.uniform(0.15, 0.6), random.uniform(0.4, 0.9)
    field = np.zeros((size, size))
    for octave in range(octaves):
        wavelength = max(2.5, coarsest / 2**octave)
        field += persistence**octave * band(random, size, wavelength, elongation=random.uniform(1.0, 3.0))
    kind = random.choice(["smooth", "ridged", "stripes", "steps"], p=[0.4, 0.2, 0.2, 0.2])
    if kind == "ridged":
        field = np.abs(field)
    elif kind == "stripes":
        field = np.sin(random.uniform(2, 5) * field + _plane(random, size))
    elif kind == "steps":
        field = np.round(random.uniform(1, 2) * field)
    place = np.clip((field - field.mean()) / (4 * field.std() + 1e-6) + 0.5, 0, 1)
    return _palette(random)[np.round(place * 255).astype(np.uint8)]


def make_collage(
    random: np.random.Generator, size: int, unit: float, patches: int, scale: tuple[float, float]
) -> np.ndarray:
    """A material with patches of others on it, each a blob of radius ``unit`` times U[scale], darker at its edge."""
    image = make_material(random, size, unit)
    materials = [make_material(random, size, unit) for _ in range(min(patches, 6))]
    for number in range(patches):
        outline = draw_outline(random, (unit * scale[0], unit * scale[1]))
        down, across = random.integers(0, size, 2)
        covered = _blob(outline, size, (int(down), int(across)))
        rim = covered & ~np.roll(covered, (1, 1), (0, 1))
        gain = np.float32(random.uniform(0.7, 1.3))
        image[covered] = np.clip(materials[number % len(materials)][covered] * gain, 0, 255).astype(np.uint8)
        image[rim] = image[rim] // 2
    return image


def _blob(outline: Outline, size: int, shift: tuple[int, int]) -> np.ndarray:
    """Which pixels of a texture that repeats an outline covers: bool (size, size), its middle at size // 2 + shift."""
    reach = min(int(np.ceil(outline.reach)) + 1, size // 2)  # elsewhere there is nothing to work out
    own = np.arange(-reach, min(reach + 1, size - size // 2))
    v, u = np.broadcast_arrays(own.astype(np.float32)[:, None], own.astype(np.float32)[None])
    covered = np.zeros((size, size), bool)
    rows, columns = ((own + size // 2 + step) % size for step in shift)
    covered[np.ix_(rows, columns)] = outline.inside(0.0, v, u)
    return covered


def _plane(random: np.random.Generator, size: int) -> np.ndarray:
    """Phase of stripes: whole periods over the texture, so that it has no seam."""
    periods = random.integers(-12, 13, 2)
    axis = 2 * np.pi * np.arange(size) / size
    return periods[0] * axis[:, None] + periods[1] * axis[None]


def _palette(random: np.random.Generator) -> np.ndarray:
    """256 RGB colours (256, 3) uint8 around one random colour, of much or of little contrast."""
    anchors = int(random.integers(2, 6))
    middle, spread = random.uniform([15, -45, -45], [90, 45, 45]), random.uniform([8, 2, 2], [35, 30, 30])
    colours = middle + spread * random.uniform(-1, 1, (anchors, 3))
    steps = np.linspace(0, anchors - 1, 256)
    curve = np.stack([np.interp(steps, range(anchors), channel) for channel in colours.T], axis=-1)
    curve[:, 0] = np.clip(curve[:, 0], 2, 98)
    rgb = cv2.cvtColor(curve[None].astype(np.float32), cv2.COLOR_Lab2RGB)[0]
    return np.round(rgb.clip(0, 1) * 255).astype(np.uint8)
