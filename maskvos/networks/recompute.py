"""Memory for time: parts of a network forget what they worked out and work it out again for the backward pass.

The result is the same to the last bit (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost"). Batches that
are taken apart and their gradients added up would not give it: BatchNorm's statistics and the in-batch negatives are
those of the whole batch.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

Output = TypeVar("Output")
_saving: ContextVar[bool] = ContextVar("saving", default=False)


@contextmanager
def saving_memory(wanted: bool) -> Iterator[None]:
    """Within it, `recomputed` does what its name says."""
    before = _saving.set(wanted)
    try:
        yield
    finally:
        _saving.reset(before)


def recomputed(part: Callable[..., Output], *inputs: Any) -> Output:
    """``part(*inputs)``; within `saving_memory`, of all that the backward pass needs only the inputs are kept.

    Args:
        part: a module, or a function that draws no random numbers and changes nothing. A module's BatchNorm may; its
            running statistics move once.
        inputs: of the part.
    """
    if not (_saving.get() and torch.is_grad_enabled()):
        return part(*inputs)

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _statistics_kept(part)

    output: Output = checkpoint(part, *inputs, use_reentrant=False, preserve_rng_state=False, context_fn=contexts)
    return output


@contextmanager
def _statistics_kept(part: Callable[..., Any]) -> Iterator[None]:
    """The second pass moves copies of the running statistics."""
    modules = part.modules() if isinstance(part, nn.Module) else ()
    before = {norm: dict(norm.named_buffers()) for norm in modules if isinstance(norm, _BatchNorm)}
    _exchange({norm: {name: value.clone() for name, value in buffers.items()} for norm, buffers in before.items()})
    try:
        yield
    finally:
        _exchange(before)


def _exchange(statistics: dict[_BatchNorm, dict[str, Tensor]]) -> None:
    for norm, buffers in statistics.items():
        for name, value in buffers.items():
            setattr(norm, name, value)
