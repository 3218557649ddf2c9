"""How far a run of the training loop has come: what its checkpoints hold."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from maskvos.parallel.collectives import average, from_first, is_first, wait_for_all
from maskvos.training.checkpoints import Checkpoints
from maskvos.training.curves import Row
from maskvos.training.finite import FiniteSteps
from maskvos.training.order import Samples
from maskvos.training.task import Task, to_device


@dataclass
class Window:
    """Sums of losses since the last row; kept on the device so that no step waits for it."""

    sums: dict[str, Tensor] = field(default_factory=dict)
    count: int = 0

    def add(self, losses: dict[str, Tensor]) -> None:
        if not losses:  # of a step that was skipped
            return
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, torch.zeros_like(value.detach())) + value.detach()
        self.count += 1

    def whole(self) -> "Window":
        """The mean over all processes, as one process would have it."""
        return Window({name: average(value) for name, value in self.sums.items()}, self.count)

    def means(self) -> dict[str, float]:
        return {name: float(value) / self.count for name, value in self.sums.items()}


class RunState:
    """The curve so far and the losses since its last row; with the task's tensors, all that a run needs to go on.

    Taken from the run's newest checkpoint, which is loaded into the task, or as at the beginning.

    Args:
        task: of the run.
        samples: of the run.
        checkpoints: of the run.
        start: number of the run's first step.
        non_finite: what becomes of a step without a finite loss, `stop` or `skip`.

    Attributes:
        first: number of the step to go on with, ``start`` without a checkpoint.
        rows: the curve.
        window: losses since its last row.
        finite: looks at the steps and counts those that are skipped.
        device: of the task's tensors.
    """

    def __init__(self, task: Task, samples: Samples, checkpoints: Checkpoints, start: int, non_finite: str) -> None:
        self._task, self._samples, self._checkpoints = task, samples, checkpoints
        self.device = next(task.module.parameters()).device
        self.first, self.rows, self.window, skipped = start, list[Row](), Window(), 0
        saved = from_first(checkpoints.latest)
        if saved is not None:
            task.module.load_state_dict(saved["module"])
            task.optimiser.load_state_dict(saved["optimiser"])
            self.first, self.rows, skipped = saved["step"], saved["rows"], saved.get("skipped", 0)
            self.window = Window(to_device(saved["sums"], self.device), saved["count"])
        self.finite = FiniteSteps(non_finite, samples.stream, samples.names, checkpoints, skipped)

    def close_window(self, step: int) -> Row:
        """The curve's row of this step, with the mean of the losses since the last one."""
        epoch = (step + 1) / self._samples.epoch_steps
        row = {"step": step + 1, "epoch": epoch, "learning_rate": self._task.rate(step)}
        self.rows.append({**row, **self.window.whole().means(), **self._task.features.statistics()})
        self.window = Window()
        return self.rows[-1]

    def save(self, done: int) -> None:
        """Write a checkpoint with ``done`` steps behind it.

        Raises:
            UserError: a step since the last row or checkpoint had a loss or gradient that is not a number; nothing is
                written.
        """
        self.finite.judge()
        window = self.window.whole()
        if is_first():
            tensors = {"module": self._task.module.state_dict(), "optimiser": self._task.optimiser.state_dict()}
            counts = {"sums": window.sums, "count": window.count, "skipped": self.finite.skipped}
            self._checkpoints.save(done, {**tensors, "rows": self.rows, **counts})
        wait_for_all()  # nobody leaves before it is written: torchrun would end the one that writes
