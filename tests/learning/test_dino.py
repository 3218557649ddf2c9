"""DINO's loss, centre and teacher against plain float64 loops."""

import copy
import math

import numpy as np
import pytest
import torch

from maskvos.learning.dino import Dino, DinoLoss, teacher_momentum
from tests.tiny import backbone_pretraining, networks

STUDENT, TEACHER, MOMENTUM = 0.1, 0.04, 0.9


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)
    torch.manual_seed(0)


def distribution(outputs, temperature):
    powers = [math.exp((value - max(outputs)) / temperature) for value in outputs]
    return [power / sum(powers) for power in powers]


def reference_loss(student, teacher, centre):
    """Cross-entropy over all (teacher crop, other student crop) pairs, one image and one prototype at a time."""
    total, pairs = 0.0, 0
    for i in range(len(teacher)):
        for v in range(len(student)):
            if i == v:
                continue
            for b in range(student.shape[1]):
                target = distribution([t - c for t, c in zip(teacher[i, b], centre, strict=True)], TEACHER)
                guess = distribution(list(student[v, b]), STUDENT)
                total -= sum(q * math.log(p) for q, p in zip(target, guess, strict=True))
                pairs += 1
    return total / pairs


def reference_gradient(student, teacher, centre):
    """Central differences of the reference loss."""
    gradient, width = np.zeros_like(student), 1e-5
    for place in np.ndindex(student.shape):
        moved = []
        for sign in (1, -1):
            shifted = student.copy()
            shifted[place] += sign * width
            moved.append(reference_loss(shifted, teacher, centre))
        gradient[place] = (moved[0] - moved[1]) / (2 * width)
    return gradient


@pytest.mark.parametrize(("globals_", "crops"), [(2, 2), (2, 5), (3, 4)])
def test_loss_gradient_and_centre_equal_plain_loops(globals_, crops):
    random = np.random.default_rng(globals_ * 10 + crops)
    student, teacher = random.uniform(-1, 1, (crops, 3, 4)), random.uniform(-1, 1, (globals_, 3, 4))
    loss = DinoLoss(4, STUDENT, TEACHER, MOMENTUM).double()
    centre = random.uniform(-0.2, 0.2, 4)
    loss.centre.copy_(torch.from_numpy(centre))
    leaf = torch.from_numpy(student).requires_grad_()

    result = loss(leaf, torch.from_numpy(teacher))
    result["loss"].backward()

    assert result["loss"].item() == pytest.approx(reference_loss(student, teacher, centre), rel=1e-12)
    np.testing.assert_allclose(leaf.grad, reference_gradient(student, teacher, centre), atol=1e-7)
    means = [np.mean([teacher[i, b, p] for i in range(globals_) for b in range(3)]) for p in range(4)]
    np.testing.assert_allclose(loss.centre, [0.9 * c + 0.1 * m for c, m in zip(centre, means, strict=True)], rtol=1e-12)


def test_entropies_tell_both_collapses_from_health():
    loss = DinoLoss(8, STUDENT, TEACHER, MOMENTUM)
    uniform = loss(torch.zeros(2, 16, 8), torch.zeros(2, 16, 8))
    assert uniform["teacher_entropy"].item() == pytest.approx(math.log(8))
    assert uniform["batch_entropy"].item() == pytest.approx(math.log(8))
    one = torch.zeros(2, 16, 8)
    one[..., 3] = 1
    constant = DinoLoss(8, STUDENT, TEACHER, MOMENTUM)(one, one)
    assert constant["teacher_entropy"].item() < 1e-3
    assert constant["batch_entropy"].item() < 1e-3
    spread = torch.eye(8).repeat(2, 2, 1)
    healthy = DinoLoss(8, STUDENT, TEACHER, MOMENTUM)(spread, spread)
    assert healthy["teacher_entropy"].item() < 1e-3
    assert healthy["batch_entropy"].item() == pytest.approx(math.log(8), abs=1e-3)


def test_teacher_momentum_rises_from_start_to_one_along_a_cosine():
    assert teacher_momentum(0.9995, 0, 100) == 0.9995
    assert teacher_momentum(0.9995, 50, 100) == pytest.approx(0.99975)
    assert teacher_momentum(0.9995, 100, 100) == 1.0
    values = [teacher_momentum(0.99, step, 100) for step in range(101)]
    assert values == sorted(values)


def test_teacher_starts_equal_gets_no_gradient_and_follows_by_the_momentum():
    model = Dino(networks(), backbone_pretraining())
    for student, teacher in zip(model.student.parameters(), model.teacher.parameters(), strict=True):
        assert torch.equal(student, teacher)
    model(torch.randn(3, 2, 3, 64, 64), torch.randn(3, 2, 3, 32, 32), freeze=False)["loss"].backward()
    assert all(p.grad is None and not p.requires_grad for p in model.teacher.parameters())
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.student.parameters())

    with torch.no_grad():
        for parameter in model.student.parameters():
            parameter.add_(torch.randn_like(parameter))
    before = [p.double().clone() for p in model.teacher.parameters()]
    model.move_teacher(0.75)
    for old, teacher, student in zip(before, model.teacher.parameters(), model.student.parameters(), strict=True):
        torch.testing.assert_close(teacher.double(), 0.75 * old + 0.25 * student.double(), atol=1e-6, rtol=1e-5)


def test_freezing_spares_the_last_layer_alone():
    model = Dino(networks(), backbone_pretraining())
    crops = torch.randn(3, 2, 3, 64, 64)
    model(crops, None, freeze=True)["loss"].backward()
    assert model.student.head.prototypes.grad is None
    assert all(p.grad is not None for n, p in model.student.named_parameters() if n != "head.prototypes")
    model(crops, None, freeze=False)["loss"].backward()
    assert model.student.head.prototypes.grad.abs().sum() > 0


def test_crops_of_one_image_stay_together():
    """The model's outputs for (B, V) crops are those of each crop alone (evaluation mode: no batch statistics)."""
    branch = Dino(networks(), backbone_pretraining()).student.eval()
    crops = torch.randn(3, 2, 3, 64, 64)
    together = branch(crops)
    for b in range(3):
        for v in range(2):
            alone = branch(crops[b : b + 1, v : v + 1])
            torch.testing.assert_close(together[v, b], alone[0, 0], atol=1e-5, rtol=1e-4)


def test_state_dict_holds_everything_that_training_changes():
    model = Dino(networks(), backbone_pretraining())
    copied = copy.deepcopy(model)
    torch.manual_seed(1)
    batches = torch.randn(2, 3, 2, 3, 64, 64)
    model(batches[0], None, freeze=False)
    model.move_teacher(0.5)
    assert not torch.equal(model.criterion.centre, copied.criterion.centre)
    copied.load_state_dict(model.state_dict())
    expected, found = model(batches[1], None, freeze=False), copied(batches[1], None, freeze=False)
    assert all(torch.equal(expected[name], found[name]) for name in expected)
