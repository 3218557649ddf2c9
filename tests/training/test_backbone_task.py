"""The DINO stage as a task: its schedules, and short runs of both backbones with the teacher balanced in both ways."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from maskvos.learning.dino import Dino
from maskvos.training.backbone_task import BackboneTask
from maskvos.training.checkpoints import Checkpoints
from maskvos.training.loop import train
from maskvos.training.order import Samples
from tests.tiny import backbone_pretraining, collapse, networks, runtime

EPOCH = 3


def make_task(backbone="resnet18", **changes):
    settings = backbone_pretraining(**changes)
    return BackboneTask(networks(backbone=backbone), settings, 0, "fp32", EPOCH, torch.device("cpu"))


def crops(item, generator, _step):
    return {
        "global_crops": generator.integers(0, 256, (2, 3, 32, 32), dtype=np.uint8),
        "local_crops": generator.integers(0, 256, (1, 3, 32, 32), dtype=np.uint8),
    }


def run(task, folder, steps):
    settings = SimpleNamespace(log_every=1, checkpoint_every=100)
    samples, checkpoints = Samples(crops, 12, 4, 0, "backbone"), Checkpoints(folder, "run")
    return train(task, samples, range(steps), checkpoints, runtime(), settings, collapse(warmup=1.0)).rows


def test_rates_of_a_run_written_out():
    """Linear to the base over the warm-up, then half a cosine to zero; the base is meant for 256 images."""
    task = make_task(learning_rate=0.8, batch=64, warmup_epochs=2, epochs=10, schedule="cosine")
    base, warmup, total, expected = 0.8 * 64 / 256, 2 * EPOCH, 10 * EPOCH, []
    for step in range(total):
        risen = base * (step + 1) / warmup
        fallen = base * math.cos(math.pi / 2 * (step - warmup) / (total - warmup)) ** 2  # (1 + cos x) / 2
        expected.append(risen if step < warmup else fallen)
    assert [task.rate(step) for step in range(total)] == pytest.approx(expected, rel=1e-12)


def test_weight_decay_is_constant():
    task = make_task(weight_decay=0.01)
    assert [group["weight_decay"] for group in task.optimiser.param_groups] == [0.01, 0.0]
    for step in range(task.total_steps):
        task.rate(step)
    assert [group["weight_decay"] for group in task.optimiser.param_groups] == [0.01, 0.0]


def test_each_step_has_the_temperature_and_the_freeze_of_its_epoch_and_the_momentum_of_its_own(tmp_path, monkeypatch):
    seen, momenta = [], []
    forward, move = Dino.forward, Dino.move_teacher
    monkeypatch.setattr(Dino, "forward", lambda self, *given: seen.append(given[2:]) or forward(self, *given))
    monkeypatch.setattr(Dino, "move_teacher", lambda self, given: momenta.append(given) or move(self, given))
    changes = {"teacher_temperature": 0.07, "teacher_temperature_warmup_epochs": 3, "freeze_last_layer_epochs": 2}
    task = make_task(epochs=4, teacher_momentum=0.9, **changes)
    run(task, tmp_path, task.total_steps)
    temperatures = [temperature for value in (0.04, 0.055, 0.07, 0.07) for temperature in [value] * EPOCH]
    assert [temperature for _, temperature in seen] == pytest.approx(temperatures)
    assert [freeze for freeze, _ in seen] == [True] * 6 + [False] * 6
    assert momenta == pytest.approx([1 - 0.1 * math.cos(math.pi / 2 * step / 12) ** 2 for step in range(12)])


@pytest.mark.parametrize(
    ("backbone", "centring"), [("resnet18", "centre"), ("resnet18", "sinkhorn"), ("resnet50", "sinkhorn")]
)
def test_a_resumed_run_ends_with_the_same_bits(tmp_path, backbone, centring):
    whole = make_task(backbone, centring=centring)
    expected = run(whole, tmp_path / "whole", 3)
    run(make_task(backbone, centring=centring), tmp_path / "broken", 2)  # ends early: a checkpoint of two steps
    again = make_task(backbone, centring=centring)
    assert run(again, tmp_path / "broken", 3) == expected
    for name, value in whole.module.state_dict().items():
        assert torch.equal(value, again.module.state_dict()[name]), name
    assert all(math.isfinite(value) for row in expected for value in row.values())
    assert {"teacher_entropy", "batch_entropy", "information", "similarity", "effective_rank"} < expected[0].keys()


def test_the_spread_is_that_of_the_students_places_in_the_global_crops():
    task = make_task()
    task.features.wanted = True
    shapes = []
    task._dino.student.trunk.register_forward_hook(lambda _m, _i, output: shapes.append(output.last.shape))
    batch = next(Samples(crops, 12, 4, 0, "x").batches(0, 1, 0, pinned=False))
    task.losses(batch, 0)
    assert shapes == [(8, 512, 1, 1), (4, 512, 1, 1)]
    assert task.features._pixels.shape == (8, 1, 512)
