"""Learning rates at the steps where they can be worked out by hand."""

import math

import pytest

from maskvos.training.schedule import learning_rate
from tests.tiny import backbone_pretraining


def rates(total=40, epoch_steps=10, **changes):
    settings = backbone_pretraining(learning_rate=0.8, **changes)
    return [learning_rate(settings, step, epoch_steps, total) for step in range(total)]


def test_constant():
    assert rates(schedule="constant", warmup_epochs=0) == [0.8] * 40


def test_step_halves_every_so_many_epochs():
    assert rates(schedule="step", step_epochs=2, warmup_epochs=0) == [0.8] * 20 + [0.4] * 20
    assert rates(schedule="step", step_epochs=1, warmup_epochs=0)[::10] == [0.8, 0.4, 0.2, 0.1]


def test_cosine_falls_from_the_base_towards_zero():
    values = rates(schedule="cosine", warmup_epochs=0)
    assert values[0] == 0.8
    assert values[20] == pytest.approx(0.4)
    assert values[10] == pytest.approx(0.4 * (1 + math.sqrt(0.5)))
    assert 0 < values[-1] < 0.8 * 0.002
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("schedule", ["constant", "step", "cosine"])
def test_warm_up_is_linear_and_reaches_the_base_rate(schedule):
    values = rates(schedule=schedule, step_epochs=2, warmup_epochs=1)
    assert values[:10] == pytest.approx([0.8 * step / 10 for step in range(1, 11)])
    assert values[10] == pytest.approx(0.8)


def test_cosine_after_the_warm_up_spans_what_is_left():
    assert rates(schedule="cosine", warmup_epochs=2)[30] == pytest.approx(0.4)


def test_fractions_of_an_epoch_and_a_warm_up_as_long_as_the_run():
    assert rates(schedule="constant", warmup_epochs=0.5)[:6] == pytest.approx([0.16, 0.32, 0.48, 0.64, 0.8, 0.8])
    assert rates(schedule="cosine", warmup_epochs=4)[-1] == pytest.approx(0.8)
