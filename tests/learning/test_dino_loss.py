"""DINO's loss and its centre against plain float64 loops, the teacher balanced in both ways."""

import math

import numpy as np
import pytest
import torch

from maskvos.learning.dino_loss import DinoLoss

STUDENT, TEACHER, MOMENTUM, ITERATIONS = 0.1, 0.07, 0.9, 3


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)
    torch.manual_seed(0)


def distribution(outputs, temperature):
    powers = [math.exp((value - max(outputs)) / temperature) for value in outputs]
    return [power / sum(powers) for power in powers]


def centred_targets(teacher, centre):
    """(G, B, P): each output less the centre, sharpened."""
    return [
        [distribution([t - c for t, c in zip(outputs, centre, strict=True)], TEACHER) for outputs in crop]
        for crop in teacher
    ]


def balanced_targets(teacher):
    """(G, B, P): Sinkhorn-Knopp over all crops of all images together, prototypes first."""
    weights = [[math.exp(value / TEACHER) for value in outputs] for crop in teacher for outputs in crop]
    for _ in range(ITERATIONS):
        columns = [sum(row[p] for row in weights) for p in range(len(weights[0]))]
        weights = [[value / column for value, column in zip(row, columns, strict=True)] for row in weights]
        weights = [[value / sum(row) for value in row] for row in weights]
    return np.array(weights).reshape(teacher.shape)


def cross_entropy(student, targets):
    """Over all (teacher crop, other student crop) pairs, one image and one prototype at a time."""
    total, pairs = 0.0, 0
    for i in range(len(targets)):
        for v in range(len(student)):
            if i == v:
                continue
            for b in range(student.shape[1]):
                guess = distribution(list(student[v, b]), STUDENT)
                total -= sum(q * math.log(p) for q, p in zip(targets[i][b], guess, strict=True))
                pairs += 1
    return total / pairs


def differences(student, targets):
    """Central differences of the reference loss."""
    gradient, width = np.zeros_like(student), 1e-5
    for place in np.ndindex(student.shape):
        moved = []
        for sign in (1, -1):
            shifted = student.copy()
            shifted[place] += sign * width
            moved.append(cross_entropy(shifted, targets))
        gradient[place] = (moved[0] - moved[1]) / (2 * width)
    return gradient


def entropy(shares):
    return -sum(share * math.log(share) for share in shares)


@pytest.mark.parametrize("iterations", [0, ITERATIONS], ids=["centre", "sinkhorn"])
@pytest.mark.parametrize(("globals_", "crops"), [(2, 2), (2, 5), (3, 4)])
def test_loss_gradient_entropies_and_centre_equal_plain_loops(globals_, crops, iterations):
    random = np.random.default_rng(globals_ * 10 + crops)
    student, teacher = random.uniform(-1, 1, (crops, 3, 4)), random.uniform(-1, 1, (globals_, 3, 4))
    loss = DinoLoss(4, STUDENT, MOMENTUM, iterations).double()
    centre = random.uniform(-0.2, 0.2, 4)
    loss.centre.copy_(torch.from_numpy(centre))
    leaf, other = torch.from_numpy(student).requires_grad_(), torch.from_numpy(teacher).requires_grad_()

    result = loss(leaf, other, TEACHER)
    result["loss"].backward()

    targets = balanced_targets(teacher) if iterations else centred_targets(teacher, centre)
    assert result["loss"].item() == pytest.approx(cross_entropy(student, targets), rel=1e-12)
    np.testing.assert_allclose(leaf.grad, differences(student, targets), atol=1e-7)
    assert other.grad is None  # the teacher gets no gradient
    flat = [shares for crop in targets for shares in crop]
    each = sum(entropy(shares) for shares in flat) / len(flat)
    batch = entropy([sum(shares[p] for shares in flat) / len(flat) for p in range(4)])
    assert result["teacher_entropy"].item() == pytest.approx(each, rel=1e-12)
    assert result["batch_entropy"].item() == pytest.approx(batch, rel=1e-12)
    assert result["information"].item() == pytest.approx(batch - each, rel=1e-9)
    means = [np.mean([teacher[i, b, p] for i in range(globals_) for b in range(3)]) for p in range(4)]
    moved = [0.9 * c + 0.1 * m for c, m in zip(centre, means, strict=True)]
    np.testing.assert_allclose(loss.centre, centre if iterations else moved, rtol=1e-12)


def test_the_centre_of_a_call_comes_from_the_calls_before():
    loss = DinoLoss(3, STUDENT, MOMENTUM).double()
    outputs = torch.randn(2, 4, 3, dtype=torch.float64)
    centre = [0.0, 0.0, 0.0]
    for _ in range(3):
        found = loss(outputs, outputs, TEACHER)["loss"].item()
        assert found == pytest.approx(cross_entropy(outputs.numpy(), centred_targets(outputs.numpy(), centre)))
        centre = [0.9 * c + 0.1 * float(m) for c, m in zip(centre, outputs.mean(dim=(0, 1)), strict=True)]


def test_figures_tell_both_collapses_from_health():
    uniform = DinoLoss(8, STUDENT, MOMENTUM)(torch.zeros(2, 16, 8), torch.zeros(2, 16, 8), 0.04)
    assert uniform["teacher_entropy"].item() == pytest.approx(math.log(8))
    assert uniform["batch_entropy"].item() == pytest.approx(math.log(8))
    one = torch.zeros(2, 16, 8)
    one[..., 3] = 1
    constant = DinoLoss(8, STUDENT, MOMENTUM)(one, one, 0.04)
    assert constant["teacher_entropy"].item() < 1e-3
    assert constant["batch_entropy"].item() < 1e-3
    spread = torch.eye(8).repeat(2, 2, 1)
    healthy = DinoLoss(8, STUDENT, MOMENTUM)(spread, spread, 0.04)
    assert healthy["teacher_entropy"].item() < 1e-3
    assert healthy["batch_entropy"].item() == pytest.approx(math.log(8), abs=1e-3)
    found = [figures["information"].item() for figures in (uniform, constant, healthy)]
    assert found == pytest.approx([0, 0, math.log(8)], abs=1e-3)


def test_sinkhorn_never_gives_all_images_one_prototype():
    one = torch.zeros(2, 16, 8)
    one[..., 3] = 1
    figures = DinoLoss(8, STUDENT, MOMENTUM, ITERATIONS)(one, one, 0.04)
    assert figures["batch_entropy"].item() == pytest.approx(math.log(8))
    assert figures["information"].item() == pytest.approx(0, abs=1e-6)  # nor does it hide that nothing is told
