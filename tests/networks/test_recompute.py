"""With memory saved, a step is the same to the last bit, and keeps a fraction of the tensors for its backward pass."""

import pytest
import torch
from torch import nn

from maskvos.networks.recompute import recomputed, saving_memory
from tests.tasks import RUNS
from tests.tiny import write_frames


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs") / "frames"
    write_frames(folder, clips=8)
    return folder


def step(make, frames, changes, saving):
    """A step's losses, gradients and statistics, and the bytes that were kept for its backward pass."""
    torch.set_num_threads(1)
    task, samples, _ = make(frames, **changes)
    batch = next(samples.batches(0, 1, 0, pinned=False))
    kept = {}
    known = {parameter.untyped_storage().data_ptr() for parameter in task.module.parameters()}

    def keep(tensor):
        if tensor.untyped_storage().data_ptr() not in known:
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with saving_memory(saving), torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        losses = task.losses(batch, 0)
    losses["loss"].backward()
    gradients = {name: parameter.grad for name, parameter in task.module.named_parameters()}
    return {"losses": losses, "gradients": gradients, "state": dict(task.module.state_dict())}, sum(kept.values())


@pytest.mark.parametrize("run", ["backbone", "contrastive", "segmentation"])
def test_the_result_is_the_same_to_the_last_bit(frames, run):
    make, changes = RUNS[run]
    expected, most = step(make, frames, changes, False)
    found, least = step(make, frames, changes, True)
    for part, values in expected.items():
        assert found[part].keys() == values.keys()
        for name, value in values.items():
            assert (value is None and found[part][name] is None) or torch.equal(found[part][name], value), name
    print(run, most, least, most / least)
    assert least < 0.5 * most


def test_a_part_runs_twice_only_where_memory_is_saved():
    calls = []

    def part(values):
        calls.append(1)
        return values.exp()

    values = torch.ones(3, requires_grad=True)
    recomputed(part, values).sum().backward()
    assert len(calls) == 1
    with saving_memory(True), torch.no_grad():
        recomputed(part, values)
    assert len(calls) == 2
    with saving_memory(True):
        output = recomputed(part, values)
    output.sum().backward()
    assert len(calls) == 4
    torch.testing.assert_close(values.grad, 2 * torch.ones(3).exp())


def test_running_statistics_move_once_and_go_on_moving():
    norm, plain = nn.BatchNorm2d(2), nn.BatchNorm2d(2)
    for number in range(2):
        maps = torch.randn(3, 2, 4, 4, generator=torch.Generator().manual_seed(number), requires_grad=True)
        with saving_memory(True):
            output = recomputed(norm, maps)
        output.square().sum().backward()
        plain(maps)
    for name, value in plain.state_dict().items():
        assert torch.equal(norm.state_dict()[name], value), name
