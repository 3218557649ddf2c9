"""What a stage brings to the training loop, and one step of it."""

from typing import Protocol

import torch
from torch import Tensor, nn

from maskvos.training.collapse import FeatureSample
from maskvos.training.distributed import Losses
from maskvos.training.finite import FiniteSteps
from maskvos.training.order import HOST_ENTRIES, Sample


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
