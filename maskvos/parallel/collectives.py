"""What the processes of a training run tell each other; a process by itself gets its own values back, bit for bit.

A batch lies over the processes in contiguous parts of equal size, in the order of their ranks, so that parts put
together are the batch of a single process in its order. Every process has to make the same calls in the same order.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from maskvos.errors import UserError

Value = TypeVar("Value")


def world_size() -> int:
    """Number of processes, 1 without a process group."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """Number of this process, 0 to `world_size` - 1."""
    return dist.get_rank() if dist.is_initialized() else 0


def is_first() -> bool:
    """Whether this is the process that writes: outputs, checkpoints, the log."""
    return rank() == 0


def own_part(batch: int) -> range:
    """Positions of a batch that are this process's.

    Raises:
        UserError: the batch cannot be divided evenly.
    """
    size, left = divmod(batch, world_size())
    if left:
        raise UserError(
            f"a batch of {batch} cannot be divided evenly among {world_size()} processes. Every process takes as many "
            "samples of each step; change runtime.processes (torchrun's --nproc-per-node) or the stage's batch."
        )
    return range(rank() * size, (rank() + 1) * size)


def gather(values: Tensor) -> Tensor:
    """The processes' (B, ...) in the order of their ranks: (W B, ...), with gradients into every process's part."""
    return values if world_size() == 1 else _Gather.apply(values)


def average(values: Tensor) -> Tensor:
    """Mean over the processes, detached."""
    return values.detach() if world_size() == 1 else total(values.detach()) / world_size()


def total(values: Tensor) -> Tensor:
    """Sum over the processes, the same bits in each; without gradients."""
    if world_size() == 1:
        return values
    values = values.contiguous().clone()
    dist.all_reduce(values)
    return values


def any_process(flag: bool) -> bool:
    """Whether the flag is set in any of the processes. A CPU tensor: no process waits for its GPU."""
    if world_size() == 1:
        return flag
    value = torch.tensor(int(flag))
    dist.all_reduce(value, dist.ReduceOp.MAX)
    return bool(value)


def from_first(make: Callable[[], Value]) -> Value:
    """What ``make`` returns in the first process, in all of them; only there is it called."""
    if world_size() == 1:
        return make()
    values: list[Any] = [make() if is_first() else None]
    dist.broadcast_object_list(values, device=torch.device("cpu"))
    return values[0]


def wait_for_all() -> None:
    """Returns once every process has called it."""
    any_process(False)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(_ctx: Any, values: Tensor) -> Tensor:
        parts = [torch.empty_like(values, memory_format=torch.contiguous_format) for _ in range(world_size())]
        dist.all_gather(parts, values.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(_ctx: Any, *gradients: Tensor) -> Tensor:
        # Every process's loss depends on this part: the gradients add up. gloo has no reduce_scatter for all versions.
        return total(gradients[0]).chunk(world_size())[rank()]
