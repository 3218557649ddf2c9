"""Steps of every stage as the loop makes them: rates, waiting for data, operations, memory, and the hours in all."""

import itertools
import resource
import time
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.inference_model import synchronise
from benchmarks.training_loader import stage_samples
from maskvos.datasets.catalogue import find_entry
from maskvos.networks.files import untrained_encoder
from maskvos.networks.model import MaskVOS
from maskvos.params.method import BackbonePretraining, Correspondence, Networks, Segmentation
from maskvos.storage.frames import FrameStore
from maskvos.training.backbone_task import BackboneTask
from maskvos.training.checkpoints import Checkpoints
from maskvos.training.correspondence_task import CorrespondenceTask
from maskvos.training.finite import FiniteSteps
from maskvos.training.order import Samples
from maskvos.training.segmentation_task import SegmentationTask
from maskvos.training.task import Task, one_step, to_device

STAGES = ("DINO", "correspondence", "segmentation")
CLIPS = find_entry("youtubevos2019-train").splits["train"].sequences
FRAMES = 94_588  # of its 6-fps list; 300 epochs are the 28.4 million passes of DINO
FORMULA = (
    f"hours = samples in all / samples a second with the loader / 3600; samples in all: epochs x {FRAMES:,} frames "
    f"(DINO), epochs x {CLIPS:,} clips (correspondence), rounds x epochs x {CLIPS:,} clips (segmentation), each epoch "
    "without its last partial batch."
)


@dataclass(frozen=True)
class Measured:
    """One stage: samples a step, samples a second at rest and with the loader, the share of the latter that waits,
    GFLOP a step, and MB: of the GPU, or of the process where there is none.
    """

    batch: int
    rest: float
    loaded: float
    waiting: float
    gflop: float
    memory: float


def make_task(name: str, content: dict[str, Any], steps: int, device: torch.device, precision: str) -> Task:
    """The stage's task with untrained networks; ``steps`` of one epoch."""
    networks, correspondence = Networks(**content["networks"]), Correspondence(**content["correspondence"])
    if name == "DINO":
        return BackboneTask(
            networks, BackbonePretraining(**content["backbone_pretraining"]), 0, precision, steps, device
        )
    if name == "correspondence":
        return CorrespondenceTask(untrained_encoder(networks, 0), correspondence, precision, steps, device)
    settings, rounds = Segmentation(**content["segmentation"]), content["alternate"]["rounds"]
    return SegmentationTask(MaskVOS(networks), settings, correspondence, precision, steps, rounds, device)


def measure(
    name: str,
    store: FrameStore,
    content: dict[str, Any],
    batch: int,
    steps: int,
    workers: int,
    device: torch.device,
    precision: str,
) -> Measured:
    """Run one stage for ``steps`` steps on a batch that lies on the device, then as many with the loader."""
    samples: Samples = stage_samples(store, content, batch)[name]
    task = make_task(name, content, samples.epoch_steps, device, precision)
    finite = FiniteSteps("stop", name, samples.names, Checkpoints("no-checkpoints", ""))
    with closing(samples.batches(0, steps + 1, workers, pinned=device.type == "cuda")) as batches:
        still = to_device(next(batches), device)
        with FlopCounterMode(display=False) as counter:  # the step that does not count
            one_step(task, task.losses, still, 0, finite)
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
        rest, _ = _timed(task, itertools.repeat(still), steps, device, finite)
        loaded, waiting = _timed(task, batches, steps, device, finite)
    used = torch.cuda.max_memory_allocated() if device.type == "cuda" else 1024 * resource.getrusage(0).ru_maxrss
    size = samples.batch
    return Measured(size, size / rest, size / loaded, waiting / loaded, counter.get_total_flops() / 1e9, used / 1e6)


def _timed(task: Task, batches: Any, steps: int, device: torch.device, finite: FiniteSteps) -> tuple[float, float]:
    """Seconds a step, and of these the seconds that the next batch was waited for."""
    synchronise(device)
    began, waited = time.perf_counter(), 0.0
    for step in range(steps):
        asked = time.perf_counter()
        batch = to_device(next(batches), device)
        waited += time.perf_counter() - asked
        one_step(task, task.losses, batch, step, finite)
    finite.judge()
    synchronise(device)
    return (time.perf_counter() - began) / steps, waited / steps


def samples_in_all(name: str, content: dict[str, Any]) -> int:
    """Of the preset's whole training on YouTube-VOS, see ``FORMULA``."""
    section = {"DINO": "backbone_pretraining", "correspondence": "correspondence", "segmentation": "segmentation"}[name]
    items, batch = FRAMES if name == "DINO" else CLIPS, content[section]["batch"]
    rounds = content["alternate"]["rounds"] if name == "segmentation" else 1
    return rounds * content[section]["epochs"] * (items // batch) * batch


def cells(measured: Measured, rate: float, content: dict[str, Any], name: str) -> list[str]:
    """The row of the table; ``rate`` is that of matrix products in GFLOP/s."""
    achieved, total = measured.gflop * measured.rest / measured.batch, samples_in_all(name, content)
    return [
        str(measured.batch),
        f"{measured.rest:.2f}",
        f"{measured.loaded:.2f}",
        f"{100 * measured.waiting:.1f}",
        f"{achieved:.0f}",
        f"{100 * achieved / rate:.0f}",
        f"{measured.memory:.0f}",
        f"{total / 1e6:.2f}",
        f"{total / measured.loaded / 3600:.1f}",
    ]
