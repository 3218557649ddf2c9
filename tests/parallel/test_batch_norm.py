"""BatchNorm over several processes against torch's own on the whole batch, in float64."""

import pytest
import torch
from torch import nn

from maskvos.parallel.batch_norm import WholeBatchNorm, synchronise
from maskvos.parallel.collectives import rank
from tests.processes import in_processes


def network():
    torch.manual_seed(0)
    made = nn.Sequential(nn.Conv2d(3, 5, 3), nn.Sequential(nn.BatchNorm2d(5, momentum=0.3), nn.ReLU()))
    norm = made[1][0]
    nn.init.uniform_(norm.weight, 0.5, 2)
    nn.init.uniform_(norm.bias, -1, 1)
    return made.double()


def images():
    generator = torch.Generator().manual_seed(1)
    return 50 + torch.randn(7, 3, 6, 5, generator=generator, dtype=torch.float64)


def passes(sizes, kind=torch.float64, training=True):
    """Two passes over this process's images; the loss weighs every output by itself."""
    made = network().to(kind)
    made.train(training)
    if sizes:
        synchronise(made)
        assert isinstance(made[1][0], WholeBatchNorm) and made[1][0].training == training
    maps = images().to(kind).split(sizes or [7])[rank()].requires_grad_()
    weights = torch.linspace(-1, 1, 7 * 5 * 4 * 3).to(kind).view(7, 5, 4, 3).split(sizes or [7])[rank()]
    for _ in range(2):
        output = made(maps)
        (weights * output.square()).sum().backward()
    gradients = {name: parameter.grad for name, parameter in made.named_parameters()}
    return {"output": output.detach(), "input": maps.grad, "gradients": gradients, "state": dict(made.state_dict())}


@pytest.mark.parametrize("sizes", [[4, 3], [7, 0], [3, 1, 3]], ids=str)
def test_outputs_gradients_and_statistics_are_those_of_the_whole_batch(sizes):
    expected = passes(None)
    found = in_processes(len(sizes), passes, sizes)
    for name in ("output", "input"):
        torch.testing.assert_close(torch.cat([part[name] for part in found]), expected[name], rtol=1e-10, atol=1e-10)
    for name, value in expected["gradients"].items():
        torch.testing.assert_close(sum(part["gradients"][name] for part in found), value, rtol=1e-10, atol=1e-10)
    for part in found:
        assert part["state"].keys() == expected["state"].keys()
        for name, value in expected["state"].items():
            torch.testing.assert_close(part["state"][name], value, rtol=1e-10, atol=1e-10)


def test_no_statistics_where_nobody_has_a_value():
    for part in in_processes(2, passes, [0, 0, 7]):
        assert torch.equal(part["state"]["1.0.running_var"], torch.ones(5, dtype=torch.float64))
        assert part["state"]["1.0.num_batches_tracked"] == 2


def test_bfloat16_is_normalised_in_float32():
    maps = images().bfloat16()  # near 50, where bfloat16 has steps of 0.25
    plain, made = nn.BatchNorm2d(3), WholeBatchNorm(3)
    output = made(maps)
    assert output.dtype == torch.bfloat16 and made.running_mean.dtype == torch.float32
    torch.testing.assert_close(output.float(), plain(maps.float()), rtol=0.01, atol=0.01)
    torch.testing.assert_close(made.running_var, plain.running_var)


def test_evaluation_uses_the_running_statistics():
    expected = passes(None, training=False)
    found = in_processes(2, passes, [4, 3], torch.float64, False)
    assert torch.equal(torch.cat([part["output"] for part in found]), expected["output"])


def test_parameters_and_statistics_stay_the_same_objects():
    made = network()
    before = {**dict(made.named_parameters()), **dict(made.named_buffers())}
    synchronise(made)
    after = {**dict(made.named_parameters()), **dict(made.named_buffers())}
    assert before.keys() == after.keys() and all(before[name] is after[name] for name in before)
