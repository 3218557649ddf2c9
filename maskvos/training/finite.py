"""A loss or a gradient that is no number: which step and clips it came from, and what then."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from maskvos.console import log
from maskvos.errors import UserError
from maskvos.parallel.collectives import total
from maskvos.training.checkpoints import Checkpoints

# Steps in a row that may be skipped: more are no accident of a few frames, and the run would never end.
MOST_IN_A_ROW = 20


class FiniteSteps:
    """Looks at each step's loss and gradient, in whichever process that trains.

    With `stop`, what was seen stays on the device until somebody asks, so that no step waits for it; the state that a
    bad step spoils is never saved. With `skip`, each step waits for its own answer and a bad one changes nothing.

    Args:
        action: `stop` or `skip`.
        stage: for messages.
        clips: the names of the clips of a step.
        checkpoints: to say what is left.
        skipped: steps that were skipped before this process.
    """

    def __init__(
        self, action: str, stage: str, clips: Callable[[int], list[str]], checkpoints: Checkpoints, skipped: int = 0
    ) -> None:
        self.skips, self.skipped = action == "skip", skipped
        self._stage, self._clips, self._checkpoints = stage, clips, checkpoints
        self._pending: list[tuple[int, Tensor]] = []
        self._in_a_row = 0

    def allows(self, step: int, losses: dict[str, Tensor], module: nn.Module) -> bool:
        """Whether the step may change the module: always with `stop`, which finds out at ``judge``.

        Raises:
            UserError: `skip`, and too many steps in a row were skipped.
        """
        gradients = [p.grad for p in module.parameters() if p.grad is not None]
        values = [value.detach().float().reshape(1) for value in losses.values()]
        bad = torch.cat([*values, nn.utils.get_total_norm(gradients).reshape(1)]).isfinite().logical_not().any()
        if not self.skips:
            self._pending.append((step, bad))
            return True
        if not bool(total(bad.float())):
            self._in_a_row = 0
            return True
        self.skipped, self._in_a_row = self.skipped + 1, self._in_a_row + 1
        log.warning("%s: %s; skipped, %d so far", self._stage, self._seen(step), self.skipped)
        if self._in_a_row > MOST_IN_A_ROW:
            raise UserError(f"{self._stage}: {self._in_a_row} steps in a row were no numbers. {self._remedy()}")
        return False

    def judge(self) -> None:
        """Ask the device about the steps since the last time.

        Raises:
            UserError: one of them was bad.
        """
        pending, self._pending = self._pending, []
        wrong = total(torch.stack([bad for _, bad in pending]).float()).tolist() if pending else []
        if any(wrong):
            first = next(step for (step, _), count in zip(pending, wrong, strict=True) if count)
            raise UserError(f"{self._stage}: {self._seen(first)}. {self._remedy()}")

    def _seen(self, step: int) -> str:
        return f"the loss or its gradient is not a number in step {step + 1}, clips {', '.join(self._clips(step))}"

    def _remedy(self) -> str:
        step = self._checkpoints.last_step()
        kept = "No checkpoint had been saved" if step is None else f"{self._checkpoints.folder} keeps step {step}"
        return (
            f"{kept}. Lower this stage's learning_rate, or look at the frames of these clips; "
            "collapse.non_finite=skip leaves such steps out."
        )
