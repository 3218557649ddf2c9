"""Optimisers with the usual exemptions, and their state as plain tensors."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from maskvos.errors import UserError

BETAS = (0.5, 0.999)  # DUL, the code line the paper builds on


def parameter_groups(module: nn.Module, weight_decay: float, factor: float = 1.0) -> list[dict[str, object]]:
    """Two groups: weights with decay, biases and norms without. ``factor`` multiplies the scheduled rate."""
    decayed = [p for p in module.parameters() if p.requires_grad and p.ndim > 1]
    plain = [p for p in module.parameters() if p.requires_grad and p.ndim <= 1]
    return [
        {"params": decayed, "weight_decay": weight_decay, "factor": factor},
        {"params": plain, "weight_decay": 0.0, "factor": factor},
    ]


def adam(groups: Iterable[dict[str, object]]) -> torch.optim.Adam:
    """Adam as DUL sets it, in one kernel for all weights; the rate is set by the loop at every step."""
    return torch.optim.Adam(groups, lr=0.0, betas=BETAS, fused=True)


def pack_state(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimiser's state as flat named tensors (``<parameter number>.<name>``)."""
    state = optimiser.state_dict()["state"]
    return {f"{number}.{name}": value for number, entry in state.items() for name, value in entry.items()}


def unpack_state(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put a packed state into an optimiser over the same parameters, laid out in memory as these are.

    A file knows no channels-last order. In another order than the weight's, a GPU would update them by another kernel,
    whose last bit may differ from that of a run without a break.

    Raises:
        UserError: it belongs to other parameters.
    """
    complete = optimiser.state_dict()
    entries: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, name = key.split(".", 1)
        entries.setdefault(int(number), {})[name] = value
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    for index, entry in entries.items():
        if index >= len(parameters) or any(v.ndim and v.shape != parameters[index].shape for v in entry.values()):
            raise UserError("the optimiser's state of the round before belongs to another network; rerun that round.")
        for name, value in entry.items():
            entry[name] = torch.empty_like(parameters[index]).copy_(value) if value.ndim else value
    complete["state"] = entries
    optimiser.load_state_dict(complete)
