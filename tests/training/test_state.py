"""What a checkpoint holds: a run that was broken off ends as one that was not; nothing bad is ever saved."""

import pytest
import torch

from maskvos.errors import UserError
from maskvos.training.checkpoints import Checkpoints
from tests.training.line_task import LineTask, run, samples


@pytest.mark.parametrize(("stop_at", "workers"), [(1, 0), (3, 0), (5, 0), (9, 0), (10, 0), (5, 2)])
def test_resumed_equals_uninterrupted(tmp_path, stop_at, workers):
    whole = LineTask()
    expected = run(whole, tmp_path / "whole")
    with pytest.raises(InterruptedError):
        run(LineTask(stop_at=stop_at), tmp_path / "broken", workers=workers)
    task = LineTask()
    assert run(task, tmp_path / "broken", workers=workers) == expected
    assert task.seen[0] == stop_at - stop_at % 3
    for name, value in whole.module.state_dict().items():
        assert torch.equal(value, task.module.state_dict()[name])


def test_a_finished_run_is_not_run_again(tmp_path):
    expected = run(LineTask(), tmp_path)
    task = LineTask()
    assert run(task, tmp_path) == expected
    assert task.seen == []


@pytest.mark.parametrize(("wrong_at", "kept"), [(4, 3), (10, 9)])  # 10 is the last step
def test_a_loss_that_is_no_number_is_a_users_error_and_never_saved(tmp_path, wrong_at, kept):
    clips = ", ".join(samples().names(wrong_at))
    with pytest.raises(
        UserError, match=rf"not a number in step {wrong_at + 1}, clips {clips}\. .* keeps step {kept}\."
    ):
        run(LineTask(wrong_at=wrong_at), tmp_path)
    state = Checkpoints(tmp_path, "run").latest()
    assert state["step"] == kept
    assert all(torch.isfinite(value).all() for value in state["module"].values())
