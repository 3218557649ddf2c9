"""The one training loop: every trained stage is a `Task` that goes through it."""

import sys
import time
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from maskvos.console import log
from maskvos.errors import UserError
from maskvos.params.collapse import Collapse
from maskvos.params.method import Runtime
from maskvos.training.checkpoints import Checkpoints
from maskvos.training.collapse import FeatureSample, Watch
from maskvos.training.curves import Row
from maskvos.training.order import Sample, Samples
from maskvos.training.progress import Progress
from maskvos.training.stopping import RUN_AGAIN, StopRequest


class Task(Protocol):
    """What a stage brings to the loop."""

    gradient_clip: float  # largest norm of each step's gradient, 0 for none

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
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, torch.zeros_like(value.detach())) + value.detach()
        self.count += 1

    def means(self) -> dict[str, float]:
        return {name: float(value) / self.count for name, value in self.sums.items()}


@dataclass(frozen=True)
class Training:
    """What a run of the loop leaves beside the changed tensors: the curve, and the steps and seconds of this process.

    ``rows`` has a row each ``settings.log_every`` steps; ``total`` counts all steps, ``done`` those since the start or
    the last resumption, which took ``seconds``.
    """

    rows: list[Row]
    total: int
    done: int
    seconds: float

    @property
    def record(self) -> dict[str, Any]:
        """For the stage's record: steps and their rate, none where everything had been done before."""
        resumed = {"resumed_after": self.total - self.done} if self.done < self.total else {}
        rate = {"steps_per_second": round(self.done / self.seconds, 3)} if self.done else {}
        return {"steps": self.total, **resumed, **rate}


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
        UserError: a loss stopped being a number, or the features collapsed (`Watch`).
        SystemExit: status 75 after a signal; the state is saved and the same command goes on.
    """
    state = checkpoints.latest()
    first, rows = steps.start, []
    if state is not None:
        task.module.load_state_dict(state["module"])
        task.optimiser.load_state_dict(state["optimiser"])
        first, rows = state["step"], state["rows"]
    device = next(task.module.parameters()).device
    stop, started = StopRequest(), time.perf_counter()
    window = _Window() if state is None else _Window(_to(state["sums"], device), state["count"])
    watch = Watch(samples.stream, steps, collapse)
    batches = samples.batches(first, steps.stop, runtime.workers, pinned=device.type == "cuda")
    with Progress(samples.stream, len(steps), first - steps.start) as progress:
        for step, batch in zip(range(first, steps.stop), batches, strict=True):
            done = step + 1
            ends = done == steps.stop
            task.features.wanted = (done - steps.start) % settings.log_every == 0 or ends
            window.add(_one_step(task, _to(batch, device), step))
            if task.features.wanted:
                rows.append(_row(task, samples, window, step))
                progress.report(done - steps.start, rows[-1])
                watch.judge(rows, checkpoints)
                window = _Window()
            due = (done - steps.start) % settings.checkpoint_every == 0 and not watch.withholds(rows)
            if ends or stop.asked or due:
                _save(task, checkpoints, done, rows, window)
            if stop.asked and not ends:
                log.warning("stopped by a signal after step %d; the state is saved, run the same command again", done)
                sys.exit(RUN_AGAIN)
    training = Training(rows, len(steps), steps.stop - first, time.perf_counter() - started)
    log.info("%s: %d steps in %.1f s", samples.stream, training.done, training.seconds)
    return training


def _to(batch: Sample, device: torch.device) -> Sample:
    return {k: v.to(device, non_blocking=True) if isinstance(v, Tensor) else v for k, v in batch.items()}


def _one_step(task: Task, batch: Sample, step: int) -> dict[str, Tensor]:
    rate = task.rate(step)
    for group in task.optimiser.param_groups:
        group["lr"] = rate * group.get("factor", 1.0)
    task.optimiser.zero_grad(set_to_none=True)
    losses = task.losses(batch, step)
    losses["loss"].backward()
    if task.gradient_clip:
        nn.utils.clip_grad_norm_(task.module.parameters(), task.gradient_clip)
    task.optimiser.step()
    task.after_step(step)
    return losses


def _row(task: Task, samples: Samples, window: _Window, step: int) -> Row:
    means = window.means()
    if any(value != value or abs(value) == float("inf") for value in means.values()):
        raise UserError(
            f"{samples.stream}: the loss is no longer a number within the {window.count} steps up to {step} "
            f"({means}). The checkpoint before is good; lower the learning rate or look at the frames."
        )
    epoch = (step + 1) / samples.epoch_steps
    return {"step": step + 1, "epoch": epoch, "learning_rate": task.rate(step), **means, **task.features.statistics()}


def _save(task: Task, checkpoints: Checkpoints, done: int, rows: list[Row], window: _Window) -> None:
    if window.count and not all(torch.isfinite(value).all() for value in window.sums.values()):
        raise UserError(f"the loss is no longer a number before step {done}; the checkpoint before it is good.")
    state = {"module": task.module.state_dict(), "optimiser": task.optimiser.state_dict(), "rows": rows}
    checkpoints.save(done, {**state, "sums": window.sums, "count": window.count})
