"""DINO's schedules, its teacher and its student, with both backbones and both ways of balancing."""

import copy
import math

import pytest
import torch

from maskvos.learning.dino import Dino, teacher_momentum, teacher_temperature
from tests.tiny import backbone_pretraining, networks

TEMPERATURE = 0.04
BOTH_BACKBONES = pytest.mark.parametrize("backbone", ["resnet18", "resnet50"])
BOTH_WAYS = pytest.mark.parametrize("centring", ["centre", "sinkhorn"])


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)
    torch.manual_seed(0)


def test_teacher_momentum_rises_from_start_to_one_along_a_cosine():
    assert teacher_momentum(0.9995, 0, 100) == 0.9995
    assert teacher_momentum(0.9995, 50, 100) == pytest.approx(0.99975)
    assert teacher_momentum(0.9995, 100, 100) == 1.0
    values = [teacher_momentum(0.99, step, 100) for step in range(101)]
    assert values == sorted(values)
    for step, found in enumerate(values):  # (1 + cos x) / 2 = cos^2(x / 2)
        assert 1 - found == pytest.approx(0.01 * math.cos(math.pi * step / 200) ** 2, abs=1e-15)


@pytest.mark.parametrize(("start", "final", "warmup"), [(0.04, 0.07, 30), (0.04, 0.07, 2), (0.07, 0.04, 5)])
def test_teacher_temperature_takes_even_steps_over_its_warm_up(start, final, warmup):
    """As in DINO's code: the warm-up's first epoch has the start, its last the final value."""
    settings = backbone_pretraining(
        teacher_temperature=final,
        teacher_temperature_start=start,
        teacher_temperature_warmup_epochs=warmup,
        epochs=warmup + 3,
    )
    expected, stride = [start], (final - start) / (warmup - 1)
    while len(expected) < warmup:
        expected.append(expected[-1] + stride)
    expected += [final] * 3
    assert [teacher_temperature(settings, epoch) for epoch in range(warmup + 3)] == pytest.approx(expected, rel=1e-12)
    assert teacher_temperature(settings, warmup) == final


def test_teacher_temperature_without_a_warm_up_and_over_one_epoch():
    changes = {"teacher_temperature": 0.07, "teacher_temperature_start": 0.04}
    none, one = (backbone_pretraining(**changes, teacher_temperature_warmup_epochs=number) for number in (0, 1))
    assert [teacher_temperature(none, epoch) for epoch in range(3)] == [0.07, 0.07, 0.07]
    assert [teacher_temperature(one, epoch) for epoch in range(3)] == [0.04, 0.07, 0.07]
    assert {teacher_temperature(backbone_pretraining(), epoch) for epoch in range(3)} == {0.04}


@BOTH_WAYS
@BOTH_BACKBONES
def test_teacher_starts_equal_gets_no_gradient_and_follows_by_the_momentum(backbone, centring):
    model = Dino(networks(backbone=backbone), backbone_pretraining(centring=centring))
    for student, teacher in zip(model.student.parameters(), model.teacher.parameters(), strict=True):
        assert torch.equal(student, teacher)
    crops = torch.randn(3, 2, 3, 64, 64), torch.randn(3, 2, 3, 32, 32)
    model(*crops, freeze=False, temperature=TEMPERATURE)["loss"].backward()
    assert all(p.grad is None and not p.requires_grad for p in model.teacher.parameters())
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.student.parameters())

    with torch.no_grad():
        for parameter in model.student.parameters():
            parameter.add_(torch.randn_like(parameter))
    before = [p.double().clone() for p in model.teacher.parameters()]
    model.move_teacher(0.75)
    for old, teacher, student in zip(before, model.teacher.parameters(), model.student.parameters(), strict=True):
        torch.testing.assert_close(teacher.double(), 0.75 * old + 0.25 * student.double(), atol=1e-6, rtol=1e-5)


@BOTH_BACKBONES
def test_freezing_spares_the_last_layer_alone(backbone):
    model = Dino(networks(backbone=backbone), backbone_pretraining())
    crops = torch.randn(3, 2, 3, 64, 64)
    model(crops, None, freeze=True, temperature=TEMPERATURE)["loss"].backward()
    assert model.student.head.prototypes.grad is None
    assert all(p.grad is not None for n, p in model.student.named_parameters() if n != "head.prototypes")
    model(crops, None, freeze=False, temperature=TEMPERATURE)["loss"].backward()
    assert model.student.head.prototypes.grad.abs().sum() > 0


@BOTH_WAYS
def test_settings_choose_how_the_teacher_is_balanced(centring):
    model = Dino(networks(), backbone_pretraining(centring=centring, sinkhorn_iterations=5))
    assert model.criterion.iterations == {"centre": 0, "sinkhorn": 5}[centring]
    model(torch.randn(3, 2, 3, 64, 64), None, freeze=False, temperature=TEMPERATURE)
    assert bool(model.criterion.centre.any()) == (centring == "centre")


def test_the_temperature_sharpens_the_teacher():
    model = Dino(networks(), backbone_pretraining())
    crops = torch.randn(3, 2, 3, 64, 64)
    copies = [copy.deepcopy(model) for _ in range(2)]
    cold, warm = (
        one(crops, None, freeze=False, temperature=value)["teacher_entropy"]
        for one, value in zip(copies, (0.02, 0.07), strict=True)
    )
    assert cold < warm


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
    model(batches[0], None, freeze=False, temperature=TEMPERATURE)
    model.move_teacher(0.5)
    assert not torch.equal(model.criterion.centre, copied.criterion.centre)
    copied.load_state_dict(model.state_dict())
    expected, found = (one(batches[1], None, freeze=False, temperature=TEMPERATURE) for one in (model, copied))
    assert all(torch.equal(expected[name], found[name]) for name in expected)
