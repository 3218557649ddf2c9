"""Procedural textures of generated videos: one palette a sequence, told apart by pattern alone.

Every texture is equalised to the same distribution of colours, so that which colours occur says nothing about which
object they belong to; orientation, scale and kind of pattern do.
"""

import cv2
import numpy as np

KINDS = ("smooth", "ridged", "folded", "cells")
WAVELENGTHS = (0.05, 0.075, 0.11, 0.16)  # of the short side: 6 to 20 pixels of 128, about one in a cell of 8


def make_palette(random: np.random.Generator) -> np.ndarray:
    """256 RGB colours along a smooth curve through random Lab colours: (256, 3) uint8."""
    anchors = np.stack(
        [random.permutation(np.linspace(30, 85, 5)), *random.uniform(-35, 35, (2, 5))], axis=-1
    )  # lightness is spread so that every pattern keeps its contrast
    steps = np.linspace(0, len(anchors) - 1, 256)
    curve = np.stack([np.interp(steps, range(len(anchors)), channel) for channel in anchors.T], axis=-1)
    rgb = cv2.cvtColor(curve[None].astype(np.float32), cv2.COLOR_Lab2RGB)[0]
    return np.round(rgb.clip(0, 1) * 255).astype(np.uint8)


def make_texture(
    random: np.random.Generator, kind: str, palette: np.ndarray, size: int, wavelength: float
) -> np.ndarray:
    """A texture that repeats without a seam.

    Args:
        random: source of randomness, advanced.
        kind: one of `KINDS`.
        palette: (256, 3) uint8.
        size: side in pixels.
        wavelength: typical distance in pixels at which the pattern repeats itself.

    Returns:
        (size, size, 3) uint8 RGB; each palette colour occurs equally often.
    """
    detail = band(random, size, wavelength, elongation=random.uniform(1.0, 2.5))
    coarse = band(random, size, 3 * wavelength, elongation=1.0)
    field = {
        "smooth": detail + 0.3 * coarse,
        "ridged": np.abs(detail) + 0.2 * coarse,
        "folded": np.sin(2.5 * detail + 0.6 * coarse),
        "cells": np.tanh(4 * detail) + 0.3 * coarse,
    }[kind]
    return palette[_equalise(field)]


def look_up(texture: np.ndarray, v: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Colours (h, w, 3) uint8 of a texture that repeats, at coordinates (h, w) float32 anywhere; linear in between.

    Args:
        texture: as `close_seam` gives it.
        v: down.
        u: to the right.
    """
    # wrapped by hand: OpenCV's remap is exact only for coordinates inside the texture
    side = np.float32(texture.shape[0] - 1)
    return cv2.remap(texture, np.mod(u, side), np.mod(v, side), cv2.INTER_LINEAR)


def close_seam(texture: np.ndarray) -> np.ndarray:
    """The first row and column once more at the end, so that interpolation runs across the seam."""
    return cv2.copyMakeBorder(texture, 0, 1, 0, 1, cv2.BORDER_WRAP)


def band(random: np.random.Generator, size: int, wavelength: float, elongation: float) -> np.ndarray:
    """Periodic noise of unit variance around one wavelength (pixels), stretched in a random direction."""
    frequency_y, frequency_x = np.meshgrid(np.fft.fftfreq(size), np.fft.rfftfreq(size), indexing="ij")
    angle = random.uniform(0, np.pi)
    along = np.cos(angle) * frequency_x + np.sin(angle) * frequency_y
    across = np.cos(angle) * frequency_y - np.sin(angle) * frequency_x
    radius = np.hypot(along * elongation, across) * wavelength
    spectrum = np.fft.rfft2(random.standard_normal((size, size))) * np.exp(-((radius - 1) ** 2) / 0.18)
    noise = np.fft.irfft2(spectrum, s=(size, size))
    return (noise - noise.mean()) / noise.std()


def _equalise(field: np.ndarray) -> np.ndarray:
    """Ranks scaled to 0..255, each value as often as any other."""
    ranks = np.empty(field.size, np.int64)
    ranks[np.argsort(field, axis=None, kind="stable")] = np.arange(field.size)
    return (ranks * 256 // field.size).astype(np.uint8).reshape(field.shape)
