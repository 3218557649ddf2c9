"""What bf16 does to the masks of real frames."""

from itertools import islice
from pathlib import Path

import numpy as np
import torch

from maskvos.datasets.davis import open_davis
from maskvos.datasets.sequence import Sequence
from maskvos.evaluation.measures import measure_objects
from maskvos.inference.propagate import given_masks, segment_sequence
from maskvos.inference.settings import PAPER
from maskvos.networks.files import load_model
from maskvos.networks.model import MaskVOS
from maskvos.params.method import Networks
from maskvos.storage.descriptions import FILE, read_description
from maskvos.training.device import place


def masks(network: MaskVOS, sequence: Sequence, frames: int, device: torch.device, precision: str) -> np.ndarray:
    """(T, H, W) ids of the first frames."""
    images = ((frame, sequence.image(frame)) for frame in islice(sequence.frames, frames))
    settings = PAPER.model_copy(update={"short_side": 240})
    predictions = segment_sequence(images, given_masks(sequence), network, settings, device, precision)
    return np.stack([prediction.ids for prediction in predictions])


def compare(weights: Path, davis: Path, frames: int, device: torch.device) -> list[list[str]]:
    """For each sequence: percent of pixels that differ, and the mean J of bf16's objects against fp32's."""
    network = place(load_model(weights, Networks(**read_description(weights / FILE)["networks"])), device)
    rows = []
    for sequence in open_davis(davis, "val"):
        full, half = (masks(network, sequence, frames, device, precision) for precision in ("fp32", "bf16"))
        overlaps = [
            accuracy
            for one, other in zip(full[1:], half[1:], strict=True)
            for accuracy, _ in measure_objects(one, other, sequence.first_frames).values()
        ]
        rows.append([sequence.name, f"{100 * (full != half).mean():.3f}", f"{np.mean(overlaps):.4f}"])
    return rows
