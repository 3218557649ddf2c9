"""The training loop: its steps, its rows and what it tells of itself."""

import io
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from rich.console import Console

from maskvos.training.progress import Progress
from tests.training.line_task import LineTask, run, run_whole, samples


def test_steps_equal_a_loop_written_out(tmp_path):
    task = LineTask()
    rows = run(task, tmp_path)
    plain = LineTask()
    losses = []
    for step, batch in enumerate(samples().batches(0, 11, 0, pinned=False)):
        plain.optimiser.param_groups[0]["lr"] = plain.rate(step)
        plain.optimiser.zero_grad()
        loss = plain.losses(batch, step)["loss"]
        loss.backward()
        plain.optimiser.step()
        plain.after_step(step)
        losses.append(loss.item())
    for expected, found in zip(plain.module.state_dict().values(), task.module.state_dict().values(), strict=True):
        assert torch.equal(expected, found)
    assert [row["step"] for row in rows] == [4, 8, 11]
    assert [row["epoch"] for row in rows] == pytest.approx([4 / 3, 8 / 3, 11 / 3])
    assert [row["learning_rate"] for row in rows] == [plain.rate(step) for step in (3, 7, 10)]
    means = [np.mean(losses[:4]), np.mean(losses[4:8]), np.mean(losses[8:])]
    assert [row["loss"] for row in rows] == pytest.approx(means, rel=1e-6)
    assert [row["error"] for row in rows] == pytest.approx(means, rel=1e-6)


def test_the_record_counts_all_steps_and_the_rate_of_this_process(tmp_path, monkeypatch):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(time, "perf_counter", lambda: clock.now)
    plain = LineTask.after_step

    def after_step(task, step):
        clock.now += 0.25
        plain(task, step)

    monkeypatch.setattr(LineTask, "after_step", after_step)
    whole = run_whole(LineTask(), tmp_path / "whole")
    assert whole.record == {"steps": 11, "steps_per_second": 4.0}
    with pytest.raises(InterruptedError):
        run(LineTask(stop_at=5), tmp_path / "broken")
    again = run_whole(LineTask(), tmp_path / "broken")
    assert again.record == {"steps": 11, "resumed_after": 3, "steps_per_second": 4.0}
    assert run_whole(LineTask(), tmp_path / "broken").record == {"steps": 11, "resumed_after": 11}


def test_the_bar_shows_the_rate(monkeypatch):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(time, "perf_counter", lambda: clock.now)
    progress = Progress("line", 20, 2)
    clock.now = 4.0
    progress.report(10, {"step": 10, "loss": 0.5})
    printed = Console(width=120, file=io.StringIO())
    printed.print(progress._bar.get_renderable())
    assert "2.00 steps/s" in printed.file.getvalue()


def test_steps_of_a_later_round_keep_their_numbers(tmp_path):
    task = LineTask()
    rows = run(task, tmp_path, range(20, 26))
    assert task.seen == list(range(20, 26))
    assert [row["step"] for row in rows] == [24, 26]
