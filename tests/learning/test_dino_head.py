"""DINO's head: layers, normalisation, cosines."""

import numpy as np
import pytest
import torch

from maskvos.learning.dino_head import DinoHead


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)
    torch.manual_seed(0)


def gelu(value):
    from math import erf, sqrt

    return value * 0.5 * (1 + erf(value / sqrt(2)))


def test_head_equals_plain_loops():
    head = DinoHead(5, 7, 3, 4).double()
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.normal_()
    features = torch.randn(6, 5, dtype=torch.float64)
    linear = [(m.weight.detach().numpy(), m.bias.detach().numpy()) for m in head.mlp if hasattr(m, "weight")]
    prototypes = head.prototypes.detach().numpy()
    expected = []
    for row in features.numpy():
        for number, (weight, bias) in enumerate(linear):
            row = weight @ row + bias
            row = np.array([gelu(value) for value in row]) if number < 2 else row
        expected.append([row @ p / np.linalg.norm(row) / np.linalg.norm(p) for p in prototypes])
    found = head(features)
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found.detach(), expected, atol=1e-6)


def test_outputs_are_cosines_whatever_the_prototypes_lengths():
    head = DinoHead(5, 7, 3, 4)
    features = torch.randn(6, 5)
    before = head(features)
    assert before.abs().max() <= 1 + 1e-6
    with torch.no_grad():
        head.prototypes.mul_(torch.tensor([[0.1], [2.0], [30.0], [1e-3]]))
    torch.testing.assert_close(head(features), before)


def test_head_has_no_batch_normalisation_and_keeps_cosines_exact_under_autocast():
    head = DinoHead(5, 7, 3, 4)
    assert not any("Norm" in type(module).__name__ for module in head.modules())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = head(torch.randn(6, 5))
    assert outputs.dtype == torch.float32
    assert not torch.equal(outputs, outputs.bfloat16().float())
