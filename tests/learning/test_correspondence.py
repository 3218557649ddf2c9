"""L_short and L_long against the formulas, in float64 loops (Eq. 12, 14, 15)."""

import math

import pytest
import torch
import torch.nn.functional as functional

from maskvos.learning.correspondence import long_term_loss, short_term_loss

TEMPERATURE = 0.2


def unit_maps(seed, batch=2, dim=5, height=3, width=4):
    generator = torch.Generator().manual_seed(seed)
    return functional.normalize(torch.randn(batch, dim, height, width, generator=generator), dim=1)


def pixel(maps, clip, number):
    row, column = divmod(number, maps.shape[3])
    return [float(value) for value in maps[clip, :, row, column].double()]


def cosine(left, right):
    dot = sum(a * b for a, b in zip(left, right, strict=True))
    return dot / math.sqrt(sum(a * a for a in left)) / math.sqrt(sum(b * b for b in right))


def contrast(rows, columns, positive, negatives):
    """Mean over clips and pixels k of -log softmax over the negatives' pixels, written out."""
    batch, pixels = rows.shape[0], rows.shape[2] * rows.shape[3]
    losses = []
    for clip in range(batch):
        for k in range(pixels):
            query = pixel(rows, clip, k)
            others = range(batch) if negatives == "batch" else [clip]
            keys = [pixel(columns, other, n) for other in others for n in range(pixels)]
            total = sum(math.exp(cosine(query, key) / TEMPERATURE) for key in keys)
            hit = math.exp(cosine(query, pixel(columns, clip, positive(clip, k))) / TEMPERATURE)
            losses.append(-math.log(hit / total))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("negatives", ["pair", "batch"])
def test_short_term_loss_is_equation_12(negatives):
    current, transformed = unit_maps(0), unit_maps(1)
    expected = contrast(current, transformed, lambda clip, k: k, negatives)
    assert float(short_term_loss(current, transformed, TEMPERATURE, negatives)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("negatives", ["pair", "batch"])
def test_long_term_loss_is_equations_14_and_15(negatives):
    current, transformed, anchor = unit_maps(2), unit_maps(3), unit_maps(4)

    def match(clip, k):
        scores = [cosine(pixel(transformed, clip, k), pixel(anchor, clip, o)) for o in range(12)]
        return scores.index(max(scores))

    loss, matches = long_term_loss(current, transformed, anchor, TEMPERATURE, negatives)
    assert matches.tolist() == [[match(clip, k) for k in range(12)] for clip in range(2)]
    assert float(loss) == pytest.approx(contrast(current, anchor, match, negatives), rel=1e-5)


def numerical_gradient(loss, maps):
    """Central differences of a function of the maps, one element after the other."""
    gradient = torch.zeros_like(maps)
    for index in range(maps.numel()):
        for sign in (1, -1):
            moved = maps.clone()
            moved.view(-1)[index] += sign * 1e-3
            gradient.view(-1)[index] += sign * float(loss(moved)) / 2e-3
    return gradient


@pytest.mark.parametrize("negatives", ["pair", "batch"])
def test_gradients_reach_both_sides_and_have_the_right_sign(negatives):
    # float32 losses: central differences are good to about 1e-3 here
    left, right = unit_maps(5, dim=3, height=2, width=2), unit_maps(6, dim=3, height=2, width=2)
    a, b = left.clone().requires_grad_(), right.clone().requires_grad_()
    short_term_loss(a, b, TEMPERATURE, negatives).backward()
    for got, expected in (
        (a.grad, numerical_gradient(lambda m: short_term_loss(m, right, TEMPERATURE, negatives), left)),
        (b.grad, numerical_gradient(lambda m: short_term_loss(left, m, TEMPERATURE, negatives), right)),
    ):
        assert torch.allclose(got, expected, atol=3e-3)


def test_matching_has_no_gradient():
    current, transformed, anchor = (unit_maps(seed).requires_grad_() for seed in (7, 8, 9))
    long_term_loss(current, transformed, anchor, TEMPERATURE, "batch")[0].backward()
    assert transformed.grad is None
    assert current.grad.abs().sum() > 0
    assert anchor.grad.abs().sum() > 0


def test_order_of_clips_does_not_change_the_loss():
    maps = [unit_maps(seed, batch=3) for seed in (10, 11, 12)]
    order = torch.tensor([2, 0, 1])
    for negatives in ("pair", "batch"):
        one = long_term_loss(*maps, TEMPERATURE, negatives)[0]
        other = long_term_loss(*(m[order] for m in maps), TEMPERATURE, negatives)[0]
        assert float(one) == pytest.approx(float(other), rel=1e-6)
