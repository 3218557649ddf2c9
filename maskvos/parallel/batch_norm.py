"""BatchNorm with the statistics of the whole batch, whatever part of it a process has."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from maskvos.parallel.collectives import gather, total


class WholeBatchNorm(nn.BatchNorm2d):
    """torch's SyncBatchNorm in plain operations, on every device.

    A process's part may be empty (of V, where none of its samples has an object). torch's own runs on GPUs alone, waits
    for them at every call, and exchanges an empty part in the precision of autocast, which the others do not expect.
    """

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, H, W) normalised; the running statistics move as those of one process with all parts would."""
        if not self.training:
            return super().forward(input)
        maps, mean, variance, count = _Normalise.apply(input, self.weight, self.bias, self.eps)
        assert self.num_batches_tracked is not None and self.running_mean is not None
        assert self.running_var is not None and self.momentum is not None
        self.num_batches_tracked.add_(1)
        weight = (count > 0).to(self.running_mean.dtype) * self.momentum  # on the device: nobody waits for it
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), weight)
        unbiased = variance * (count / (count - 1).clamp_min(1))
        self.running_var.lerp_(unbiased.to(self.running_var.dtype), weight)
        return maps


class _Normalise(torch.autograd.Function):
    """Forward and backward of BatchNorm (Ioffe and Szegedy, ICML 2015, section 3) with sums over all processes."""

    @staticmethod
    def forward(
        ctx: Any, maps: Tensor, weight: Tensor, bias: Tensor, epsilon: float
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        values = maps.to(torch.promote_types(maps.dtype, torch.float32))
        mean, variance, count = _statistics(values)
        scale = (variance + epsilon).rsqrt()
        ctx.save_for_backward(maps, weight, mean, scale, count)
        ctx.mark_non_differentiable(mean, variance, count)
        normalised = (values - _wide(mean)) * _wide(scale * weight) + _wide(bias)
        return normalised.to(maps.dtype), mean, variance, count

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        maps, weight, mean, scale, count = ctx.saved_tensors
        values, slope = maps.to(mean.dtype), gradient.to(mean.dtype)
        whitened = (values - _wide(mean)) * _wide(scale)
        own = torch.stack([slope.sum(dim=(0, 2, 3)), (slope * whitened).sum(dim=(0, 2, 3))])
        of_bias, of_weight = total(own) / count.clamp_min(1)
        into = (slope - _wide(of_bias) - whitened * _wide(of_weight)) * _wide(scale * weight)
        # Weight and bias get their own part's gradient: the processes' gradients are added up afterwards.
        return into.to(maps.dtype), own[1].to(weight.dtype), own[0].to(weight.dtype), None


def _statistics(values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean (C,), variance (C,) and number of values of a channel over all processes.

    From the parts' means and squared deviations (Chan, Golub and LeVeque 1979): sums of squares would cancel.
    """
    count = values.numel() // values.shape[1]
    mean = values.sum(dim=(0, 2, 3)) / max(1, count)
    deviation = (values - _wide(mean)).square().sum(dim=(0, 2, 3))
    parts = gather(torch.cat([mean, deviation, mean.new_full((1,), count)])[None])
    means, deviations = parts[:, : len(mean)], parts[:, len(mean) : -1]
    counts = parts[:, -1:]
    number = counts.sum()
    whole = (counts * means).sum(dim=0) / number.clamp_min(1)
    squares = (deviations + counts * (means - whole).square()).sum(dim=0)
    return whole, squares / number.clamp_min(1), number


def _wide(values: Tensor) -> Tensor:
    return values[:, None, None]


def synchronise(network: nn.Module) -> None:
    """Exchange every BatchNorm2d inside the network; parameters, statistics and names stay what they are."""
    for name, child in network.named_children():
        if isinstance(child, nn.BatchNorm2d):
            setattr(network, name, _synchronised(child))
        else:
            synchronise(child)


def _synchronised(norm: nn.BatchNorm2d) -> nn.Module:
    made = WholeBatchNorm(norm.num_features, norm.eps, norm.momentum)
    made.weight, made.bias = norm.weight, norm.bias  # the very ones that the optimiser has
    made.running_mean, made.running_var = norm.running_mean, norm.running_var
    made.num_batches_tracked = norm.num_batches_tracked
    return made.train(norm.training)
