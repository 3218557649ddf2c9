"""A stage in several processes (DDP): torchrun's or its own, with the results of one within rounding.

Every process has its part of each batch (`maskvos.parallel`), so that the batch stays the same whatever their number.
BatchNorm, in-batch negatives, DINO's centre and its Sinkhorn-Knopp look at the whole batch; the gradients of the
processes are averaged by torch's DistributedDataParallel; the first process alone writes.
"""

import datetime
import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from maskvos.console import INTERRUPTED, log, one_line_errors, run_stage, start_log
from maskvos.errors import UserError, explain
from maskvos.parallel.batch_norm import synchronise
from maskvos.parallel.collectives import is_first, rank, world_size
from maskvos.params import read_params
from maskvos.training.launch import launch, launch_on_nodes
from maskvos.training.order import Sample

# Longer than the first process may take for a checkpoint, or any of them for the frames of a step.
TIMEOUT = datetime.timedelta(minutes=10)
WAIT = 20.0  # seconds in which the first process meets an error that all have, and ends them
Main = Callable[[], dict[str, Any] | None]
Losses = Callable[[Sample, int], dict[str, Tensor]]


class Distributable(Protocol):
    """The part of a task that is spread over processes."""

    partial_gradients: bool  # whether a step may leave some parameters without a gradient

    @property
    def module(self) -> nn.Module:
        """Holds every tensor that training changes."""

    def losses(self, batch: Sample, step: int) -> dict[str, Tensor]:
        """Of this process's part of a batch; the mean over the processes is what is minimised."""


class _Losses(nn.Module):
    """A task's losses as the forward pass that DistributedDataParallel wants to see."""

    def __init__(self, task: Distributable) -> None:
        super().__init__()
        self.module, self._losses = task.module, task.losses

    def forward(self, batch: Sample, step: int) -> dict[str, Tensor]:
        return self._losses(batch, step)


def distribute(task: Distributable) -> Losses:
    """``task.losses``, with several processes such that a backward pass leaves each the mean gradient.

    The module's BatchNorm is then synchronised, and its tensors are those of the first process. Buffers need no
    copying in each step: what changes them is the same everywhere.
    """
    if world_size() == 1:
        return task.losses
    synchronise(task.module)
    looked_for = task.partial_gradients
    return DistributedDataParallel(_Losses(task), forward_sync_buffers=False, find_unused_parameters=looked_for)


def run_training_stage(name: str, params: Path, main: Main) -> None:
    """`run_stage` in the processes that torchrun started, or in those of ``runtime`` that this one starts.

    Args:
        name: of the stage.
        params: the parameter file.
        main: of the stage; every process calls it, the first one writes.
    """
    if "RANK" not in os.environ:
        _start_processes(name, params)
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        both = torch.cuda.is_available() and dist.is_nccl_available()
        dist.init_process_group("cpu:gloo,cuda:nccl" if both else "gloo", timeout=TIMEOUT)
    if is_first():
        run_stage(name, main)
    else:
        _follow(main)
    if dist.is_initialized():
        dist.destroy_process_group()


def _start_processes(name: str, params: Path) -> None:
    """Does not come back where there are several."""
    with one_line_errors():
        start_log(Path("logs") / f"{name}.log")
        runtime = read_params(params, ()).runtime
        if runtime.nodes > 1:
            launch_on_nodes(runtime.processes, runtime.nodes)
    if runtime.processes > 1:
        sys.exit(launch(runtime.processes))


def _follow(main: Main) -> None:
    """A process that writes nothing: no log, no record; an error that the first one has, too, is said once."""
    start_log(None)
    log.setLevel(logging.ERROR)
    try:
        main()
    except (UserError, OSError) as error:
        known = explain(error)
        time.sleep(WAIT)
        log.error("error in process %d: %s", rank(), known)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
