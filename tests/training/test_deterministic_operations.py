"""No training step calls an operation that has no deterministic form on a GPU: there torch would refuse it.

The list is that of `torch.use_deterministic_algorithms` (torch 2.13); what torch calls is seen on the CPU.
"""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from maskvos.training.checkpoints import Checkpoints
from maskvos.training.loop import train
from tests.tasks import RUNS
from tests.tiny import collapse, runtime, write_frames

REFUSED = {
    *("_adaptive_avg_pool2d_backward", "adaptive_max_pool2d_backward", "avg_pool3d_backward", "max_pool3d"),
    *("fractional_max_pool2d_backward", "max_unpool2d", "reflection_pad1d_backward", "reflection_pad2d_backward"),
    *("upsample_linear1d_backward", "upsample_bilinear2d_backward", "upsample_bicubic2d_backward"),
    *("_upsample_bilinear2d_aa_backward", "_upsample_bicubic2d_aa_backward", "grid_sampler_2d_backward"),
    *("replication_pad1d_backward", "replication_pad2d_backward", "_ctc_loss_backward", "_embedding_bag"),
    *("histc", "put_", "median", "cumsum", "bincount"),
}


class Calls(TorchDispatchMode):
    """Names of the operations that were called; of the mean or sum of a loss over maps its own."""

    def __init__(self):
        super().__init__()
        self.names = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func._schema.name.removeprefix("aten::")
        if name == "nll_loss2d_forward" and args[3] != 0:
            name = "reduced nll_loss2d_forward"
        self.names.add(name)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("run", RUNS)
def test_no_step_calls_one(tmp_path, run):
    write_frames(tmp_path / "frames", clips=8)
    make, changes = RUNS[run]
    task, samples, settings = make(tmp_path / "frames", **changes)
    with Calls() as calls:
        train(task, samples, range(1), Checkpoints(tmp_path, "run"), runtime(), settings, collapse(warmup=1.0))
    assert "convolution_backward" in calls.names
    assert not calls.names & {*REFUSED, "reduced nll_loss2d_forward"}


def test_the_reduced_loss_over_maps_would_be_seen():
    maps = torch.zeros(1, 2, 3, 3)
    with Calls() as calls:
        torch.nn.functional.nll_loss(maps, torch.zeros(1, 3, 3, dtype=torch.long))
    assert "reduced nll_loss2d_forward" in calls.names
