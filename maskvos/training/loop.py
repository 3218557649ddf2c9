"""The one training loop: every trained stage is a `Task` that goes through it."""

import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from maskvos.console import log
from maskvos.errors import UserError
from maskvos.networks.recompute import saving_memory
from maskvos.parallel.collectives import any_process, average, from_first, is_first, wait_for_all, world_size
from maskvos.params.collapse import Collapse
from maskvos.params.method import Runtime
from maskvos.training.checkpoints import Checkpoints
from maskvos.training.collapse import FeatureSample, Watch
from maskvos.training.curves import Row
from maskvos.training.distributed import Losses, distribute
from maskvos.training.failures import explained
from maskvos.training.finite import FiniteSteps
from maskvos.training.order import HOST_ENTRIES, Sample, Samples
from maskvos.training.progress import Progress
from maskvos.training.stopping import RUN_AGAIN, StopRequest


class Task(Protocol):
    """What a stage brings to the loop."""

    gradient_clip: float  # largest norm of each step's gradient, 0 for none
    partial_gradients: bool  # whether a step may leave some parameters without a gradient

    @property
    def module(self) -> nn.Module:
        """Holds every tensor that training changes."""

    @property
    def optimiser(self) -> torch.optim.Optimizer:
        """Steps the module's parameters."""

    @property
    def features(self) -> FeatureSample:
        """Of the network that the stage is for; its spread joins the curve."""

    def rate(self, step: int) -> float:
        """Learning rate of the step; a parameter group's ``factor`` multiplies it."""

    def losses(self, batch: Sample, step: int) -> dict[str, Tensor]:
        """Scalars by name; the entry ``loss`` is minimised, the others are only recorded."""

    def after_step(self, step: int) -> None:
        """What follows the optimiser's step (a momentum teacher)."""


@dataclass
class _Window:
    """Sums of losses since the last row; kept on the device so that no step waits for it."""

    sums: dict[str, Tensor] = field(default_factory=dict)
    count: int = 0

    def add(self, losses: dict[str, Tensor]) -> None:
        if not losses:  # of a step that was skipped
            return
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, torch.zeros_like(value.detach())) + value.detach()
        self.count += 1

    def whole(self) -> "_Window":
        """The mean over all processes, as one process would have it."""
        return _Window({name: average(value) for name, value in self.sums.items()}, self.count)

    def means(self) -> dict[str, float]:
        return {name: float(value) / self.count for name, value in self.sums.items()}


@dataclass(frozen=True)
class Training:
    """What a run of the loop leaves beside the changed tensors: the curve, and the steps and seconds of this process.

    ``rows`` has a row each ``settings.log_every`` steps; ``total`` counts all steps, ``done`` those since the start or
    the last resumption, which took ``seconds``; ``skipped`` steps had no finite loss.
    """

    rows: list[Row]
    total: int
    done: int
    seconds: float
    skipped: int = 0

    @property
    def record(self) -> dict[str, Any]:
        """For the stage's record: steps and their rate, none where everything had been done before."""
        resumed = {"resumed_after": self.total - self.done} if self.done < self.total else {}
        rate = {"steps_per_second": round(self.done / self.seconds, 3)} if self.done else {}
        skipped = {"skipped_steps": self.skipped} if self.skipped else {}
        processes = {"processes": world_size()} if world_size() > 1 else {}
        return {"steps": self.total, **resumed, **rate, **skipped, **processes}


def train(
    task: Task,
    samples: Samples,
    steps: range,
    checkpoints: Checkpoints,
    runtime: Runtime,
    settings: Any,
    collapse: Collapse,
) -> Training:
    """Run the steps of ``steps`` (numbers over the whole run), resuming where a checkpoint of this run is found.

    Raises:
        UserError: a loss or gradient is not a number (`FiniteSteps`), the features collapsed (`Watch`), frames cannot
            be read, or memory ran out. What can be saved is.
        SystemExit: status 75 after a signal; the state is saved and the same command goes on.
    """
    state = from_first(checkpoints.latest)
    first, rows, skipped = steps.start, [], 0
    if state is not None:
        task.module.load_state_dict(state["module"])
        task.optimiser.load_state_dict(state["optimiser"])
        first, rows, skipped = state["step"], state["rows"], state.get("skipped", 0)
    device = next(task.module.parameters()).device
    losses, stop, started = distribute(task), StopRequest(), time.perf_counter()
    window = _Window() if state is None else _Window(to_device(state["sums"], device), state["count"])
    watch = Watch(samples.stream, steps, collapse)
    finite = FiniteSteps(collapse.non_finite, samples.stream, samples.names, checkpoints, skipped)
    with (
        Progress(samples.stream, len(steps), first - steps.start) as progress,
        explained(samples.stream),
        closing(samples.batches(first, steps.stop, runtime.workers, pinned=device.type == "cuda")) as batches,
    ):
        for step in range(first, steps.stop):
            try:
                batch = next(batches)
            except UserError:  # no frames any more: the state so far is as good as ever
                # Several processes would have to agree, and the others wait elsewhere.
                if step > first and world_size() == 1 and not watch.withholds(rows):
                    _save(task, checkpoints, step, rows, window, finite)
                raise
            done = step + 1
            ends = done == steps.stop
            task.features.wanted = (done - steps.start) % settings.log_every == 0 or ends
            with saving_memory(runtime.save_memory):
                window.add(one_step(task, losses, to_device(batch, device), step, finite))
            asked = any_process(stop.asked)
            if task.features.wanted:
                finite.judge()
                rows.append(_row(task, samples, window, step))
                progress.report(done - steps.start, rows[-1])
                watch.judge(rows, checkpoints)
                window = _Window()
            due = asked or (done - steps.start) % settings.checkpoint_every == 0
            withheld = due and watch.withholds(rows)
            if ends or (due and not withheld):
                _save(task, checkpoints, done, rows, window, finite)
            if asked and not ends:
                saved = "the state before the features fell ill is kept" if withheld else "the state is saved"
                log.warning("stopped by a signal after step %d; %s, run the same command again", done, saved)
                sys.exit(RUN_AGAIN)
    training = Training(rows, len(steps), steps.stop - first, time.perf_counter() - started, finite.skipped)
    log.info("%s: %d steps in %.1f s", samples.stream, training.done, training.seconds)
    return training


def to_device(batch: Sample, device: torch.device) -> Sample:
    """The batch's tensors on the device, but for `HOST_ENTRIES`."""
    return {
        k: v.to(device, non_blocking=True) if isinstance(v, Tensor) and k not in HOST_ENTRIES else v
        for k, v in batch.items()
    }


def one_step(task: Task, forward: Losses, batch: Sample, step: int, finite: FiniteSteps) -> dict[str, Tensor]:
    """The step's losses; none of a step that was skipped, which leaves everything as it was."""
    rate = task.rate(step)
    for group in task.optimiser.param_groups:
        group["lr"] = rate * group.get("factor", 1.0)
    task.optimiser.zero_grad(set_to_none=True)
    # Norms keep running means of what they see, a bad batch too.
    before = {name: buffer.clone() for name, buffer in task.module.named_buffers()} if finite.skips else {}
    losses = forward(batch, step)
    losses["loss"].backward()
    if not finite.allows(step, losses, task.module):
        for name, buffer in task.module.named_buffers():
            buffer.copy_(before[name])
        return {}
    if task.gradient_clip:
        nn.utils.clip_grad_norm_(task.module.parameters(), task.gradient_clip)
    task.optimiser.step()
    task.after_step(step)
    return losses


def _row(task: Task, samples: Samples, window: _Window, step: int) -> Row:
    epoch = (step + 1) / samples.epoch_steps
    row = {"step": step + 1, "epoch": epoch, "learning_rate": task.rate(step)}
    return {**row, **window.whole().means(), **task.features.statistics()}


def _save(
    task: Task, checkpoints: Checkpoints, done: int, rows: list[Row], window: _Window, finite: FiniteSteps
) -> None:
    finite.judge()
    window = window.whole()
    state = {"module": task.module.state_dict(), "optimiser": task.optimiser.state_dict(), "rows": rows}
    if is_first():
        checkpoints.save(done, {**state, "sums": window.sums, "count": window.count, "skipped": finite.skipped})
    wait_for_all()  # nobody leaves before it is written: torchrun would end the one that writes
