"""L_short and L_long against Eq. 12, 14 and 15 in float64, values and gradients."""

import pytest
import torch
import torch.nn.functional as functional

from maskvos.learning.correspondence import long_term_loss, short_term_loss
from tests.plain import equations

NEGATIVES = ["pair", "batch"]


def unit_maps(seed, batch=2, dim=5, height=3, width=4):
    generator = torch.Generator().manual_seed(seed)
    return functional.normalize(torch.randn(batch, dim, height, width, generator=generator), dim=1)


def twice(*seeds):
    """The same raw maps as leaves in float32, for the code, and in float64, for the reference."""
    raw = [3 * unit_maps(seed) for seed in seeds]
    return [maps.clone().requires_grad_() for maps in raw], [maps.double().requires_grad_() for maps in raw]


def unit(maps):
    return functional.normalize(maps, dim=1)


@pytest.mark.parametrize("temperature", [0.05, 0.4])
@pytest.mark.parametrize("negatives", NEGATIVES)
def test_short_term_loss_is_equation_12(negatives, temperature):
    ours, plain = twice(0, 1)
    expected = equations.short_term_loss(*plain, temperature, negatives)
    found = short_term_loss(*map(unit, ours), temperature, negatives)
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    found.backward()
    expected.backward()
    for left, right in zip(ours, plain, strict=True):
        torch.testing.assert_close(left.grad.double(), right.grad, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("temperature", [0.05, 0.4])
@pytest.mark.parametrize("negatives", NEGATIVES)
def test_long_term_loss_is_equations_14_and_15(negatives, temperature):
    ours, plain = twice(2, 3, 4)
    expected = equations.long_term_loss(*plain, temperature, negatives)
    found, matches = long_term_loss(*map(unit, ours), temperature, negatives)
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    assert matches.tolist() == equations.matches(*plain[1:])[0]
    found.backward()
    expected.backward()
    assert ours[1].grad is None, "matching has no gradient"
    for number in (0, 2):
        torch.testing.assert_close(ours[number].grad.double(), plain[number].grad, rtol=1e-3, atol=1e-6)


def test_one_clip_has_the_same_negatives_either_way():
    maps = [unit_maps(seed, batch=1) for seed in (7, 8, 9)]
    pair, batch = (long_term_loss(*maps, 0.2, negatives)[0] for negatives in NEGATIVES)
    assert float(pair) == pytest.approx(float(batch), rel=1e-6)


def test_other_clips_add_to_the_sum_below_and_to_nothing_else():
    """`batch` is never smaller than `pair`: the same positive, more negatives; the matches are the same."""
    maps = [unit_maps(seed, batch=3) for seed in (7, 8, 9)]
    (pair, own), (batch, all_) = (long_term_loss(*maps, 0.2, negatives) for negatives in NEGATIVES)
    assert float(pair) < float(batch)
    assert torch.equal(own, all_)


@pytest.mark.parametrize("negatives", NEGATIVES)
def test_order_of_clips_does_not_change_the_loss(negatives):
    maps = [unit_maps(seed, batch=3) for seed in (10, 11, 12)]
    order = torch.tensor([2, 0, 1])
    one, matches = long_term_loss(*maps, 0.2, negatives)
    other, moved = long_term_loss(*(m[order] for m in maps), 0.2, negatives)
    assert float(one) == pytest.approx(float(other), rel=1e-6)
    assert torch.equal(matches[order], moved)
    short = [short_term_loss(*pair, 0.2, negatives) for pair in (maps[:2], [m[order] for m in maps[:2]])]
    assert float(short[0]) == pytest.approx(float(short[1]), rel=1e-6)


def test_float32_under_autocast():
    maps = [unit_maps(seed) for seed in (13, 14, 15)]
    plain = [short_term_loss(*maps[:2], 0.05, "batch"), long_term_loss(*maps, 0.05, "batch")[0]]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = [short_term_loss(*maps[:2], 0.05, "batch"), long_term_loss(*maps, 0.05, "batch")[0]]
    assert [float(a) for a in plain] == [float(b) for b in found]
