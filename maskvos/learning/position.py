"""The sine-cosine code of a pixel's place in space and time, added to features before clustering (paper 3.1)."""

import numpy as np

TEMPERATURE = 10000.0  # of the Transformer's position code (Vaswani et al. 2017), kept by DETR


def position_code(frames: int, height: int, width: int, channels: int) -> np.ndarray:
    """L2-normalised 3D sine-cosine code of every pixel of a clip: (T, h, w, D), float32.

    The D channels are split over t, y, x in this order: t and y get the even number next below (or at) D / 3 each, x
    gets the rest (128 = 42 + 42 + 44, 512 = 170 + 170 + 172). Within a part of n channels the first half holds sines,
    the second half cosines of ``coordinate / 10000^(2 i / n)``, coordinates running from 0 to 2 pi over the clip.
    """
    early = channels // 6 * 2
    parts = [
        _axis_code(frames, early)[:, None, None],
        _axis_code(height, early)[None, :, None],
        _axis_code(width, channels - 2 * early)[None, None, :],
    ]
    grid = (frames, height, width)
    code = np.concatenate([np.broadcast_to(part, (*grid, part.shape[-1])) for part in parts], axis=-1)
    normalised: np.ndarray = (code / np.linalg.norm(code, axis=-1, keepdims=True)).astype(np.float32)
    return normalised


def _axis_code(length: int, channels: int) -> np.ndarray:
    """Code of one axis: (length, channels), float64. An odd number of channels lacks the last cosine."""
    coordinates = np.linspace(0, 2 * np.pi, length) if length > 1 else np.zeros(1)
    frequencies = TEMPERATURE ** (-2 * np.arange((channels + 1) // 2) / channels)
    angles = coordinates[:, None] * frequencies
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)[:, :channels]
