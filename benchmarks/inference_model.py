"""Seconds of one frame, part by part, with full references: reading the frame and writing the mask left out."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from maskvos.inference import propagate
from maskvos.inference.methods import MaskEmbedding
from maskvos.inference.parts import from_parts
from maskvos.inference.propagate import Tracker
from maskvos.networks.model import MaskVOS
from maskvos.params.inference import Tracking
from maskvos.params.method import Networks
from maskvos.training.device import place

PAPER = Networks(backbone="resnet18", last_layer="layer4", embedding_dim=128, mask_embedding_dim=256, decoder_width=256)


def build(networks: Networks, device: torch.device) -> MaskVOS:
    """The model with random weights: time does not depend on them."""
    torch.manual_seed(0)
    return place(MaskVOS(networks).eval(), device)


def synchronise(device: torch.device) -> None:
    """Wait for a GPU's queue."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class FullTracker:
    """A tracker whose references are all there, filled with the first frame's."""

    def __init__(
        self,
        model: MaskVOS,
        settings: Tracking,
        size: tuple[int, int],
        objects: int,
        device: torch.device,
        precision: str,
    ) -> None:
        rng = np.random.default_rng(0)
        self.image = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
        first = np.zeros(size, np.uint8)
        for number, columns in enumerate(np.array_split(np.arange(size[1]), objects), 1):
            first[size[0] // 4 : size[0] // 2, columns] = number
        self.device = device
        method = MaskEmbedding.from_settings(model, settings, precision)
        self.tracker = Tracker(method, size, {"0": first}, settings, device)
        with torch.inference_mode():
            self.tracker.step("0", self.image)
            memory = self.tracker.memory
            assert memory is not None
            key, grid = memory.keys[-1].permute(2, 0, 1), self.tracker.geometry.grid
            masks = from_parts(memory.masks[-1], grid, memory.side)
            fine = None if memory.fine is None else from_parts(memory.fine[-1].flatten(0, 1), grid)
            assert memory.values is not None
            values = memory.values[:, -1].transpose(1, 2).unflatten(2, grid)
            for _ in range(settings.references):
                memory.add(key, masks, values, fine=fine)

    def step(self) -> None:
        """One frame."""
        with torch.inference_mode():
            self.tracker.step("1", self.image)
        synchronise(self.device)

    def operations(self) -> float:
        """GFLOP of one frame's convolutions and matrix products."""
        with FlopCounterMode(display=False) as counter:
            self.step()
        return counter.get_total_flops() / 1e9


@contextmanager
def timed_parts(tracker: FullTracker) -> Iterator[dict[str, float]]:
    """Seconds of the parts of the steps that are made meanwhile."""
    seconds: dict[str, float] = defaultdict(float)
    method, memory, device = tracker.tracker.method, tracker.tracker.memory, tracker.device

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            synchronise(device)
            began = time.perf_counter()
            result = function(*arguments)
            synchronise(device)
            seconds[name] += time.perf_counter() - began
            return result

        return run

    places = [
        (method, "encode", "E"),
        (memory, "match", "matching"),
        (memory, "refine", "parts of cells"),
        (propagate, "coarse_masks", "readout"),
        (propagate, "gathered_values", "readout"),
        (method, "_decode", "D"),
        (method, "values", "V"),
    ]
    saved = [(owner, name, getattr(owner, name)) for owner, name, _ in places]
    for (owner, name, part), (_, _, function) in zip(places, saved, strict=True):
        setattr(owner, name, timed(part, function))
    try:
        yield seconds
    finally:
        for owner, name, function in saved:
            setattr(owner, name, function)
