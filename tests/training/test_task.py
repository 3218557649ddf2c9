"""One step of a task: its rate, the bound of its gradient, and a step that is left out."""

import pytest
import torch

from maskvos.training.checkpoints import Checkpoints
from maskvos.training.loop import train
from tests.tiny import collapse, runtime
from tests.training.line_task import SETTINGS, LineTask, run, samples


def test_a_groups_factor_multiplies_the_rate(tmp_path):
    task = LineTask()
    task.optimiser.param_groups[0]["factor"] = 0.0
    before = task.module.weight.detach().clone()
    run(task, tmp_path)
    assert torch.equal(task.module.weight, before)


def test_gradient_clip_bounds_the_step(tmp_path):
    task = LineTask()
    task.gradient_clip = 1e-3
    before = torch.cat([p.detach().flatten().clone() for p in task.module.parameters()])
    run(task, tmp_path, range(1))
    after = torch.cat([p.detach().flatten() for p in task.module.parameters()])
    assert (after - before).norm().item() == pytest.approx(0.01 * 1e-3, rel=0.05)


def test_a_step_that_is_skipped_changes_nothing_and_is_counted(tmp_path):
    skipping = collapse(max_similarity=1.0, min_effective_rank=1.0, non_finite="skip")
    task, plain = LineTask(wrong_at=4), LineTask()
    training = train(task, samples(), range(11), Checkpoints(tmp_path, "run"), runtime(), SETTINGS, skipping)
    assert training.record["skipped_steps"] == 1
    assert [row["step"] for row in training.rows] == [4, 8, 11]
    for step in (*range(4), *range(5, 11)):
        batch = torch.utils.data.default_collate([samples()[2 * step], samples()[2 * step + 1]])
        plain.optimiser.param_groups[0]["lr"] = plain.rate(step)
        plain.optimiser.zero_grad()
        plain.losses(batch, step)["loss"].backward()
        plain.optimiser.step()
        plain.after_step(step)
    assert torch.equal(task.module.weight, plain.module.weight)
    assert torch.equal(task.module.shadow, plain.module.shadow)
