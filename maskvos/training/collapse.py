"""Collapse is watched: the features' spread joins the curve, and a run that clearly collapses is stopped."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from maskvos.console import log
from maskvos.errors import UserError
from maskvos.learning.spread import effective_rank, pair_similarity, sample_pixels
from maskvos.parallel.collectives import gather, world_size
from maskvos.params.collapse import Collapse
from maskvos.training.checkpoints import Checkpoints
from maskvos.training.curves import Row


class FeatureSample:
    """Some pixels' features of a network, taken out of a forward pass that training makes anyway.

    Args:
        network: whose passes are looked at.
        pick: its output to (B, D, h, w) maps.
    """

    def __init__(self, network: nn.Module, pick: Callable[[Any], Tensor]) -> None:
        self.wanted = False  # set for a step whose features are asked for: others cost nothing
        self._pick = pick
        self._pixels: Tensor | None = None
        network.register_forward_hook(self._look)

    def _look(self, _network: nn.Module, _inputs: Any, output: Any) -> None:
        if self.wanted and self._pixels is None:  # a step's first: DINO's global crops
            self._pixels = sample_pixels(self._pick(output), world_size())

    def statistics(self) -> dict[str, float]:
        """Columns of the curve, of the step that has just been made; the sample is forgotten."""
        pixels, self._pixels = self._pixels, None
        if pixels is None:
            return {}
        pixels = gather(pixels)
        return {"similarity": pair_similarity(pixels), "effective_rank": effective_rank(pixels.flatten(0, 1))}


@dataclass(frozen=True)
class _Rule:
    """One column of the curve and the parameter that limits it."""

    column: str
    limit: str
    highest: bool
    meaning: str


_RULES = (
    _Rule("similarity", "max_similarity", True, "random pixels look alike"),
    _Rule("effective_rank", "min_effective_rank", False, "the features vary in hardly any direction"),
    _Rule("information", "min_information", False, "the teacher tells no image from another"),
)


def symptoms(row: Row, limits: Collapse) -> list[str]:
    """What a row of the curve shows of a collapse, in words; a column that is absent or nan shows nothing."""
    found = []
    for rule in _RULES:
        value, limit = row.get(rule.column, float("nan")), getattr(limits, rule.limit)
        if value > limit if rule.highest else value < limit:
            side = "above" if rule.highest else "below"
            name = rule.column.replace("_", " ")
            found.append(f"{name} {value:.4g} is {side} collapse.{rule.limit} {limit:g} ({rule.meaning})")
    return found


class Watch:
    """Judges a curve as it grows; everything follows from its rows, so that a resumed run judges alike.

    Args:
        name: of the stage.
        steps: of the run; the first ``limits.warmup`` of them are not judged.
        limits: of the experiment.
    """

    def __init__(self, name: str, steps: range, limits: Collapse) -> None:
        self._name, self._limits = name, limits
        self._first = steps.start + limits.warmup * len(steps)

    def ill(self, rows: list[Row]) -> list[Row]:
        """The rows at the curve's end, one after another, that show a collapse."""
        found: list[Row] = []
        for row in reversed(rows):
            if row["step"] <= self._first or not symptoms(row, self._limits):
                break
            found.insert(0, row)
        return found

    def withholds(self, rows: list[Row]) -> bool:
        """Whether a checkpoint waits: while the run may be about to be stopped, the one before is the good one."""
        return self._limits.action == "stop" and bool(self.ill(rows))

    def judge(self, rows: list[Row], checkpoints: Checkpoints) -> None:
        """Look at the newest row.

        Raises:
            UserError: the last ``patience`` rows show a collapse; with `warn` this is said once and training goes on.
        """
        ill = self.ill(rows)
        if len(ill) < self._limits.patience:
            return
        seen = f"{self._name}: the features have collapsed. " + "; ".join(symptoms(ill[-1], self._limits))
        seen += f", for {len(ill)} rows of the curve, steps {ill[0]['step']:.0f} to {ill[-1]['step']:.0f}."
        if self._limits.action == "stop":
            raise UserError(f"{seen} {_remedy(ill[-1], self._limits)} {_kept(checkpoints)}".rstrip())
        if len(ill) == self._limits.patience:
            log.warning("%s collapse.action is warn: training goes on", seen)


def _remedy(row: Row, limits: Collapse) -> str:
    advice = "Lower this stage's learning_rate or lengthen its warmup_epochs, and look at the frames"
    if row.get("information", limits.min_information) < limits.min_information:
        advice += "; for DINO also raise teacher_momentum, lower teacher_temperature, or try centring=sinkhorn"
    return f"{advice}; or set collapse.action=warn."


def _kept(checkpoints: Checkpoints) -> str:
    step = checkpoints.last_step()
    return "" if step is None else f"{checkpoints.folder} keeps step {step}: with warn, the same command goes on there."
