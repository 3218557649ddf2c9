"""Affinity and readout against float64 loops, values and gradients."""

import math

import numpy as np
import pytest
import torch

from maskvos.networks.matching import affinity, readout


def reference_affinity(references, query, temperature):
    batch, count, _, height, width = references.shape
    result = np.zeros((batch, count * height * width, height * width))
    for b in range(batch):
        for column in range(height * width):
            key = query[b, :, column // width, column % width]
            scores = [
                float(np.dot(references[b, n, :, y, x], key)) / temperature
                for n in range(count)
                for y in range(height)
                for x in range(width)
            ]
            powers = [math.exp(score - max(scores)) for score in scores]
            result[b, :, column] = [power / sum(powers) for power in powers]
    return result


def reference_readout(weights, values):
    batch, count, channels, height, width = values.shape
    result = np.zeros((batch, channels, height, width))
    for b in range(batch):
        for column in range(height * width):
            for row in range(count * height * width):
                n, place = divmod(row, height * width)
                value = values[b, n, :, place // width, place % width]
                result[b, :, column // width, column % width] += weights[b, row, column] * value
    return result


def keys(*shape, seed=0):
    drawn = np.random.default_rng(seed).normal(size=shape)
    return drawn / np.linalg.norm(drawn, axis=-3, keepdims=True)


@pytest.mark.parametrize("temperature", [0.05, 1.0])
@pytest.mark.parametrize("count", [1, 3])
def test_affinity_and_readout_equal_plain_loops(count, temperature):
    references, query = keys(2, count, 5, 3, 4), keys(2, 5, 3, 4, seed=1)
    values = np.random.default_rng(2).normal(size=(2, count, 6, 3, 4))
    expected = reference_affinity(references, query, temperature)
    found = affinity(torch.from_numpy(references), torch.from_numpy(query), temperature)
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found, expected, atol=2e-6, rtol=2e-5)
    np.testing.assert_allclose(found.sum(dim=1), 1, atol=1e-5)
    gathered = readout(found, torch.from_numpy(values))
    np.testing.assert_allclose(gathered, reference_readout(expected, values), atol=2e-5)


def test_gradients_equal_central_differences():
    references, query = keys(1, 2, 3, 2, 2), keys(1, 3, 2, 2, seed=1)
    values = np.random.default_rng(2).normal(size=(1, 2, 2, 2, 2))
    weights = np.random.default_rng(3).normal(size=(1, 2, 2, 2))

    def total(*inputs):
        return float((reference_readout(reference_affinity(inputs[0], inputs[1], 0.3), inputs[2]) * weights).sum())

    leaves = [torch.from_numpy(array).float().requires_grad_() for array in (references, query, values)]
    (readout(affinity(leaves[0], leaves[1], 0.3), leaves[2]) * torch.from_numpy(weights)).sum().backward()
    arrays = [references, query, values]
    for number, leaf in enumerate(leaves):
        for place in np.ndindex(leaf.shape):
            moved = []
            for sign in (1, -1):
                changed = [array.copy() for array in arrays]
                changed[number][place] += sign * 1e-5
                moved.append(total(*changed))
            assert leaf.grad[place].item() == pytest.approx((moved[0] - moved[1]) / 2e-5, abs=1e-4)


def test_the_order_of_the_references_changes_nothing():
    references, query = (torch.from_numpy(array) for array in (keys(2, 3, 5, 3, 4), keys(2, 5, 3, 4, seed=1)))
    values, order = torch.randn(2, 3, 6, 3, 4), torch.tensor([2, 0, 1])
    one = readout(affinity(references, query, 0.05), values)
    other = readout(affinity(references[:, order], query, 0.05), values[:, order])
    torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-5)


def test_a_sharp_affinity_copies_the_matching_pixel():
    """Orthogonal keys, moved one pixel to the right: every value follows."""
    references = torch.eye(12).view(12, 3, 4)[None, None]
    query = torch.roll(references[:, 0], 1, dims=-1)
    values = torch.randn(1, 1, 2, 3, 4)
    found = readout(affinity(references, query, 0.01), values)
    torch.testing.assert_close(found, torch.roll(values[:, 0], 1, dims=-1))


def test_float32_under_autocast():
    references, query = torch.from_numpy(keys(1, 2, 5, 3, 4)).float(), torch.from_numpy(keys(1, 5, 3, 4)).float()
    values = torch.randn(1, 2, 6, 3, 4)
    plain = readout(affinity(references, query, 0.05), values)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = readout(affinity(references, query, 0.05), values)
    assert torch.equal(plain, found)
