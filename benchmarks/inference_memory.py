"""A long generated video: what the process holds as it goes on."""

import resource
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from maskvos.inference.propagate import segment_sequence
from maskvos.networks.model import MaskVOS
from maskvos.params.inference import Tracking
from maskvos.training.device import used_precision

SIZE = (96, 160)
PAGE = resource.getpagesize()


def resident() -> float:
    """MB that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 1e6


def frames(count: int) -> Iterator[tuple[str, np.ndarray]]:
    """A square that goes round over a texture."""
    ground = np.random.default_rng(0).integers(60, 120, (*SIZE, 3), dtype=np.uint8)
    for number in range(count):
        image, left = ground.copy(), number % (SIZE[1] - 24)
        image[30:54, left : left + 24] = (220, 10, 10)
        yield f"{number:05d}", image


def follow(network: MaskVOS, settings: Tracking, count: int, device: torch.device) -> list[tuple[int, float]]:
    """Frames done and MB held at ten points of the way, the first when all references are there."""
    first = np.zeros(SIZE, np.uint8)
    first[30:54, :24] = 1
    points = {settings.references + 1, *(count * tenth // 10 for tenth in range(1, 11))}
    predictions = segment_sequence(
        frames(count), {"00000": first}, network, settings, device, used_precision(device, "auto")
    )
    return [(done, resident()) for done, _ in enumerate(predictions, 1) if done in points]
