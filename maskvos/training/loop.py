"""The one training loop: every trained stage is a `Task` that goes through it."""

import sys
import time
from contextlib import closing
from dataclasses import dataclass
from typing import Any, NoReturn

from maskvos.console import log
from maskvos.errors import UserError
from maskvos.networks.recompute import saving_memory
from maskvos.parallel.collectives import any_process, world_size
from maskvos.params.collapse import Collapse
from maskvos.params.method import Runtime
from maskvos.training.checkpoints import Checkpoints
from maskvos.training.collapse import Watch
from maskvos.training.curves import Row
from maskvos.training.distributed import distribute
from maskvos.training.failures import explained
from maskvos.training.order import Samples
from maskvos.training.progress import Progress
from maskvos.training.state import RunState
from maskvos.training.stopping import RUN_AGAIN, StopRequest
from maskvos.training.task import Task, one_step, to_device


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
    state = RunState(task, samples, checkpoints, steps.start, collapse.non_finite)
    first, losses, stop, started = state.first, distribute(task), StopRequest(), time.perf_counter()
    watch = Watch(samples.stream, steps, collapse)
    with (
        Progress(samples.stream, len(steps), first - steps.start) as progress,
        explained(samples.stream),
        closing(samples.batches(first, steps.stop, runtime.workers, pinned=state.device.type == "cuda")) as batches,
    ):
        for step in range(first, steps.stop):
            try:
                batch = next(batches)
            except UserError:  # no frames any more: the state so far is as good as ever
                # Several processes would have to agree, and the others wait elsewhere.
                if step > first and world_size() == 1 and not watch.withholds(state.rows):
                    state.save(step)
                raise
            done = step + 1
            ends = done == steps.stop
            task.features.wanted = (done - steps.start) % settings.log_every == 0 or ends
            with saving_memory(runtime.save_memory):
                state.window.add(one_step(task, losses, to_device(batch, state.device), step, state.finite))
            asked = any_process(stop.asked)
            if task.features.wanted:
                state.finite.judge()
                progress.report(done - steps.start, state.close_window(step))
                watch.judge(state.rows, checkpoints)
            due = asked or (done - steps.start) % settings.checkpoint_every == 0
            withheld = due and watch.withholds(state.rows)
            if ends or (due and not withheld):
                state.save(done)
            if asked and not ends:
                _leave(done, withheld)
    seconds = time.perf_counter() - started
    training = Training(state.rows, len(steps), steps.stop - first, seconds, state.finite.skipped)
    log.info("%s: %d steps in %.1f s", samples.stream, training.done, training.seconds)
    return training


def _leave(done: int, withheld: bool) -> NoReturn:
    saved = "the state before the features fell ill is kept" if withheld else "the state is saved"
    log.warning("stopped by a signal after step %d; %s, run the same command again", done, saved)
    sys.exit(RUN_AGAIN)
