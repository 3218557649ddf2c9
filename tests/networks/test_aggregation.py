"""Soft aggregation against its definition in float64 loops, and at logits where the definition overflows."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from maskvos.networks.aggregation import soft_aggregate


def reference(logits):
    """Odds of every class, the background's probability being the product of 1 - p; one pixel's logits."""
    probabilities = [1 / (1 + math.exp(-value)) for value in logits]
    background = math.prod(1 - p for p in probabilities)
    odds = [background / (1 - background), *(p / (1 - p) for p in probabilities)]
    return [math.log(value / sum(odds)) for value in odds]


@pytest.mark.parametrize("objects", [1, 2, 5])
def test_equals_the_definition(objects):
    logits = np.random.default_rng(objects).normal(0, 3, (2, objects, 3, 4))
    found = soft_aggregate(torch.from_numpy(logits))
    assert found.shape == (2, objects + 1, 3, 4) and found.dtype == torch.float32
    for b in range(2):
        for y in range(3):
            for x in range(4):
                np.testing.assert_allclose(found[b, :, y, x], reference(logits[b, :, y, x]), atol=2e-5, rtol=1e-5)


def test_one_object_is_sharpened():
    """With K = 1 the odds p / (1 - p) stand against (1 - p) / p, as in STM: the logit counts twice."""
    logits = torch.linspace(-10, 10, 41).view(1, 1, 1, 41)
    found = soft_aggregate(logits)
    torch.testing.assert_close(found[:, 1], torch.nn.functional.logsigmoid(2 * logits[:, 0]), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("size", [15, 40, 1e3, 1e6])
@pytest.mark.parametrize("signs", [(1, 1), (1, -1), (-1, -1)])
def test_extreme_logits_stay_numbers_with_a_gradient(size, signs):
    logits = (torch.tensor(signs) * size).view(1, 2, 1, 1).float().requires_grad_()
    found = soft_aggregate(logits)
    assert found.isfinite().all()
    assert found.exp().sum().item() == pytest.approx(1, abs=1e-5)
    winner = 0 if signs == (-1, -1) else 1
    assert found[0, winner].item() >= found.max().item() - 1e-6
    found[0, winner].sum().backward()
    assert logits.grad.isfinite().all()


def test_far_logits_equal_exact_arithmetic():
    """Rational arithmetic instead of float64, where 1 - p would round to 0."""
    values = [12.0, -9.0, 14.5]
    odds = [Fraction(math.exp(value)) for value in values]
    background = math.prod((1 / (1 + o) for o in odds), start=Fraction(1))
    odds = [background / (1 - background), *odds]
    expected = [math.log(o / sum(odds)) for o in odds]
    found = soft_aggregate(torch.tensor(values).view(1, 3, 1, 1)).flatten()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_gradient_equals_central_differences_of_the_definition():
    values = np.random.default_rng(0).normal(0, 2, 3)
    weights = np.random.default_rng(1).normal(0, 1, 4)
    logits = torch.from_numpy(values).float().view(1, 3, 1, 1).requires_grad_()
    (soft_aggregate(logits).flatten() * torch.from_numpy(weights)).sum().backward()
    for k in range(3):
        step = np.zeros(3)
        step[k] = 1e-6
        higher, lower = np.dot(weights, reference(values + step)), np.dot(weights, reference(values - step))
        assert logits.grad[0, k, 0, 0].item() == pytest.approx((higher - lower) / 2e-6, abs=1e-4)


def test_half_precision_is_aggregated_in_float32():
    logits = torch.randn(1, 2, 4, 4).bfloat16()
    torch.testing.assert_close(soft_aggregate(logits), soft_aggregate(logits.float()), atol=0, rtol=0)
