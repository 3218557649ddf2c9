"""Learning rates as functions of the step."""

import math

from maskvos.params.method import Optimisation


def learning_rate(settings: Optimisation, step: int, epoch_steps: int, total_steps: int) -> float:
    """The rate of one step.

    `constant`; `step`: halved every ``step_epochs`` (paper 3.3); `cosine`: to zero at ``total_steps``. A linear warm-up
    over ``warmup_epochs`` comes first in each of them.

    Args:
        settings: base rate and schedule.
        step: 0 .. total_steps - 1, counted over the whole run (all rounds of the segmentation stage).
        epoch_steps: steps of one epoch.
        total_steps: steps of the whole run.
    """
    warmup = settings.warmup_epochs * epoch_steps
    if step < warmup:
        return settings.learning_rate * (step + 1) / warmup
    if settings.schedule == "step":
        return settings.learning_rate * 0.5 ** (step // (settings.step_epochs * epoch_steps))
    if settings.schedule == "cosine":
        done = (step - warmup) / max(1.0, total_steps - warmup)
        return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * done))
    return settings.learning_rate
