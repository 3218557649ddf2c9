"""What is left of an object that has gone: pixels still given to it, by how masks that fade are raised.

    python -m benchmarks.departed_object [--weights FILE] [--seeds 4]

A textured disc leaves a panning background of another texture by frame 14 of 40; a second one stays. Both textures are
smoothed noise, nothing that the weights have seen. The second figure of a cell is the IoU of the disc that stays.
"""

import argparse
import functools
from pathlib import Path

import cv2
import numpy as np
import torch

from maskvos.inference.loading import load_method
from maskvos.inference.propagate import Tracker
from maskvos.inference.segment_options import OWN_WEIGHTS
from maskvos.inference.settings import stored_settings
from maskvos.params.inference import Tracking

HEIGHT, WIDTH, SIDE, FRAMES = 240, 424, 80, 40
SHOWN = (14, 20, 30, 39)
LIMITS = (1.0, 1.2, 1e9)  # off, the presets', raised to a peak of 1 at once


def texture(height: int, width: int, cell: int, seed: int) -> np.ndarray:
    """(height, width, 3) float32 in 0..255, smooth over ``cell`` pixels."""
    noise = np.random.default_rng(seed).random((height // cell + 2, width // cell + 2, 3), np.float32)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 1) * 255


@functools.cache
def textures(seed: int) -> tuple[np.ndarray, ...]:
    """Of the background and the two discs."""
    sizes = ((HEIGHT, WIDTH + 5 * FRAMES, 12), (SIDE, SIDE, 6), (SIDE, SIDE, 9))
    return tuple(texture(*size, 10 * (number + 1) + seed) for number, size in enumerate(sizes))


def draw(moment: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The frame's picture (HEIGHT, WIDTH, 3) uint8 and mask (HEIGHT, WIDTH) uint8."""
    background, *discs = textures(seed)
    picture, mask = background[:, moment : moment + WIDTH].copy(), np.zeros((HEIGHT, WIDTH), np.uint8)
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE // 2
    for number, (left, top) in enumerate(((260 + 12 * moment, 60), (60 + 3 * moment, 140)), 1):
        inside = (y**2 + x**2 < 35**2)[:, : max(0, WIDTH - left)]
        place = slice(top, top + SIDE), slice(left, left + inside.shape[1])
        picture[place][inside] = discs[number - 1][:, : inside.shape[1]][inside]
        mask[place][inside] = number
    noise = np.random.default_rng((seed, moment)).normal(0, 4, picture.shape)
    return (picture + noise).clip(0, 255).astype(np.uint8), mask


def follow(weights: Path, settings: Tracking, seed: int) -> list[tuple[int, float]]:
    """Pixels given to the disc that leaves and IoU of the one that stays, of every frame."""
    device = torch.device("cpu")
    first = draw(0, seed)[1]
    method = load_method(weights, "propagation", settings, device).method
    tracker = Tracker(method, (HEIGHT, WIDTH), {"00000": first}, settings, device)
    found = []
    with torch.inference_mode():
        for moment in range(FRAMES):
            picture, mask = draw(moment, seed)
            ids = tracker.step(f"{moment:05d}", picture).ids
            stays = (ids == 2) & (mask == 2), (ids == 2) | (mask == 2)
            found.append((int((ids == 1).sum()), float(stays[0].sum() / max(1, stays[1].sum()))))
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=OWN_WEIGHTS, help="default: the tool's own")
    parser.add_argument("--seeds", type=int, default=4)
    arguments = parser.parse_args()
    base = stored_settings(arguments.weights)
    print(f"| rescale_limit | seed | {' | '.join(f'frame {moment}' for moment in SHOWN)} |")
    print(f"| --- | ---: |{' ---: |' * len(SHOWN)}")
    for seed in range(arguments.seeds):
        for limit in LIMITS:
            chosen = base.model_copy(update={"short_side": None, "rescale_limit": limit})
            found = follow(arguments.weights, chosen, seed)
            cells = " | ".join(f"{found[moment][0]}, {found[moment][1]:.2f}" for moment in SHOWN)
            print(f"| {limit:g} | {seed} | {cells} |", flush=True)
