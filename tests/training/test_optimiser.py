"""Which parameters decay, and an optimiser's state through plain tensors."""

import copy

import pytest
import torch
from torch import nn

from maskvos.errors import UserError
from maskvos.storage.weights import load_weights, save_weights
from maskvos.training.optimiser import BETAS, adam, pack_state, parameter_groups, unpack_state


def network():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))


def steps(module, optimiser, first, last):
    for number in range(first, last):
        for group in optimiser.param_groups:
            group["lr"] = 0.01
        optimiser.zero_grad()
        images = torch.randn(5, 3, 3, 3, generator=torch.Generator().manual_seed(number))
        module(images).square().mean().backward()
        optimiser.step()


def test_weights_decay_biases_and_norms_do_not():
    module = network()
    module[0].bias.requires_grad_(False)
    decayed, plain = parameter_groups(module, 0.25, factor=0.5)
    assert [id(p) for p in decayed["params"]] == [id(module[0].weight), id(module[3].weight)]
    assert [id(p) for p in plain["params"]] == [id(module[1].weight), id(module[1].bias), id(module[3].bias)]
    assert (decayed["weight_decay"], plain["weight_decay"]) == (0.25, 0.0)
    assert decayed["factor"] == plain["factor"] == 0.5


def test_adam_has_the_betas_of_dul():
    assert adam(parameter_groups(network(), 0.0)).param_groups[0]["betas"] == BETAS == (0.5, 0.999)


def test_one_step_of_adam_by_hand():
    """Adam's first step is lr * sign(gradient); with decay the weight itself joins the gradient."""
    layer = nn.Linear(2, 1, bias=False)
    layer.weight.data = torch.tensor([[2.0, -3.0]])
    optimiser = adam(parameter_groups(layer, 10.0))
    optimiser.param_groups[0]["lr"] = 0.1
    layer.weight.grad = torch.tensor([[1.0, 1.0]])
    optimiser.step()
    torch.testing.assert_close(layer.weight.data, torch.tensor([[1.9, -2.9]]))


def test_packed_state_on_disk_continues_identically(tmp_path):
    module = network()
    optimiser = adam(parameter_groups(module, 0.01))
    steps(module, optimiser, 0, 4)
    other = copy.deepcopy(module)
    save_weights(tmp_path / "optimizer.safetensors", pack_state(optimiser), {})
    steps(module, optimiser, 4, 8)

    fresh = adam(parameter_groups(other, 0.01))
    unpack_state(fresh, load_weights(tmp_path / "optimizer.safetensors")[0])
    steps(other, fresh, 4, 8)
    for expected, found in zip(module.state_dict().values(), other.state_dict().values(), strict=True):
        assert torch.equal(expected, found)


def test_unpacked_state_is_laid_out_as_its_weight(tmp_path):
    """As Adam itself makes it: otherwise another kernel updates it, and rounds need not add up to the bit."""
    modules = [network().to(memory_format=torch.channels_last) for _ in range(2)]
    made, unpacked = (adam(parameter_groups(module, 0.01)) for module in modules)
    steps(modules[0], made, 0, 1)
    save_weights(tmp_path / "optimiser.safetensors", pack_state(made), {})
    unpack_state(unpacked, load_weights(tmp_path / "optimiser.safetensors")[0])
    for (weight, expected), found in zip(made.state.items(), unpacked.state.values(), strict=True):
        for name in ("exp_avg", "exp_avg_sq"):
            assert torch.equal(found[name], expected[name])
            assert found[name].stride() == expected[name].stride() == weight.stride()


def test_without_the_state_the_run_would_differ():
    module = network()
    optimiser = adam(parameter_groups(module, 0.01))
    steps(module, optimiser, 0, 4)
    other = copy.deepcopy(module)
    steps(module, optimiser, 4, 8)
    steps(other, adam(parameter_groups(other, 0.01)), 4, 8)
    assert not torch.equal(module[0].weight, other[0].weight)


@pytest.mark.parametrize("other", [nn.Linear(4, 3), nn.Linear(4, 2, bias=False)])
def test_state_of_another_network_is_refused(other):
    module = nn.Linear(4, 2)
    optimiser = adam(parameter_groups(module, 0.0))
    module(torch.ones(1, 4)).sum().backward()
    optimiser.step()
    with pytest.raises(UserError, match="another network"):
        unpack_state(adam(parameter_groups(other, 0.0)), pack_state(optimiser))


def test_state_that_covers_only_some_parameters_is_refused():
    module = nn.Linear(4, 2)
    optimiser = adam(parameter_groups(module, 0.0))
    module(torch.ones(1, 4)).sum().backward()
    optimiser.step()
    larger = nn.Sequential(nn.Linear(4, 2), nn.Linear(2, 2))
    with pytest.raises(UserError, match="another network"):
        unpack_state(adam(parameter_groups(larger, 0.0)), pack_state(optimiser))
