"""The training loop: arithmetic, resuming, signals, losses that are no numbers."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from rich.console import Console
from torch import nn

from maskvos.errors import UserError
from maskvos.learning.spread import effective_rank, pair_similarity, sample_pixels
from maskvos.training.checkpoints import Checkpoints
from maskvos.training.collapse import FeatureSample
from maskvos.training.loop import train
from maskvos.training.order import Samples
from maskvos.training.progress import Progress
from maskvos.training.stopping import RUN_AGAIN
from tests.tiny import collapse, runtime

ROOT = Path(__file__).parents[2]
SETTINGS = SimpleNamespace(log_every=4, checkpoint_every=3)
ANYTHING = collapse(max_similarity=1.0, min_effective_rank=1.0)  # features of one number each would be stopped


@pytest.fixture(autouse=True)
def one_thread():
    """Handlers that the loop sets must not outlive a test."""
    torch.set_num_threads(1)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGUSR1)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def make(item, generator, _step):
    return {"x": generator.standard_normal(3).astype(np.float32), "y": np.float32(item)}


def as_maps(output):
    return output[:, :, None, None]


class LineTask:
    """Least squares with SGD and a shadow that follows, as DINO's teacher does."""

    gradient_clip = 0.0
    partial_gradients = False

    def __init__(self, wrong_at=None, signal_at=None, stop_at=None):
        torch.manual_seed(0)
        self.module = nn.Linear(3, 1)
        self.module.register_buffer("shadow", torch.zeros(1, 3))
        self.optimiser = torch.optim.SGD(self.module.parameters(), lr=0.0, momentum=0.9)
        self.features = FeatureSample(self.module, as_maps)
        self.wrong_at, self.signal_at, self.stop_at, self.seen = wrong_at, signal_at, stop_at, []

    def rate(self, step):
        return 0.01 / (1 + step)

    def losses(self, batch, step):
        self.seen.append(step)
        if step == self.signal_at:
            os.kill(os.getpid(), signal.SIGTERM)
        if step == self.stop_at:
            raise InterruptedError
        error = (self.module(batch["x"])[:, 0] - batch["y"]).square().mean()
        return {"loss": error * (float("nan") if step == self.wrong_at else 1), "error": error.detach()}

    def after_step(self, step):
        self.module.shadow.lerp_(self.module.weight.detach(), 0.5)


def samples():
    return Samples(make, 6, 2, 0, "line")


def run(task, folder, *words, **changes):
    return run_whole(task, folder, *words, **changes).rows


def run_whole(task, folder, steps=range(11), settings=SETTINGS, **changes):
    return train(task, samples(), steps, Checkpoints(folder, "run"), runtime(**changes), settings, ANYTHING)


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


class FrameGone(Samples):
    """The frame store disappears at one step."""

    def __getitem__(self, number):
        if number == 14:
            raise UserError("frames/shard: cannot be read. Run prepare again.")
        return super().__getitem__(number)


@pytest.mark.parametrize("workers", [0, 2])
def test_when_frames_end_the_state_is_saved_and_the_message_is_theirs(tmp_path, workers):
    gone = FrameGone(make, 6, 2, 0, "line")
    with pytest.raises(UserError) as error:
        train(LineTask(), gone, range(11), Checkpoints(tmp_path, "run"), runtime(workers=workers), SETTINGS, ANYTHING)
    assert str(error.value) == "frames/shard: cannot be read. Run prepare again."
    assert Checkpoints(tmp_path, "run").latest()["step"] == 7
    whole, resumed = LineTask(), LineTask()
    assert run(resumed, tmp_path) == run(whole, tmp_path / "whole")
    assert torch.equal(whole.module.weight, resumed.module.weight)


def test_a_signal_saves_and_ends_with_status_75_and_the_next_run_goes_on(tmp_path):
    whole = LineTask()
    expected = run(whole, tmp_path / "whole")
    with pytest.raises(SystemExit) as end:
        run(LineTask(signal_at=4), tmp_path / "stopped")
    assert end.value.code == RUN_AGAIN == 75
    task = LineTask()
    assert run(task, tmp_path / "stopped") == expected
    assert task.seen[0] == 5
    assert torch.equal(whole.module.weight, task.module.weight)


def test_a_signal_in_the_last_step_lets_the_run_end(tmp_path):
    assert len(run(LineTask(signal_at=10), tmp_path)) == 3


class ToyTask:
    """A linear map of noise to eight numbers that either all become 1, or spread evenly over all directions."""

    gradient_clip = 1.0

    def __init__(self, collapses, stop_at=None):
        torch.manual_seed(0)
        self.module = nn.Linear(8, 8)
        self.optimiser = torch.optim.SGD(self.module.parameters(), lr=0.0)
        self.features = FeatureSample(self.module, as_maps)
        self.collapses, self.stop_at, self.seen, self.outputs = collapses, stop_at, [], {}

    def rate(self, step):
        return 0.2

    def losses(self, batch, step):
        self.seen.append(step)
        if step == self.stop_at:
            raise InterruptedError
        output = self.module(batch["x"])
        self.outputs[step] = output.detach()
        if self.collapses:
            return {"loss": (output - 1).square().mean()}
        centred = output - output.mean(dim=0)
        return {"loss": (centred.T @ centred / len(output) - torch.eye(8)).square().mean()}

    def after_step(self, step):
        pass


def toy(task, folder, steps=range(100, 200), **limits):
    def noise(item, generator, _step):
        return {"x": generator.standard_normal(8).astype(np.float32)}

    settings, limits = SimpleNamespace(log_every=5, checkpoint_every=4), collapse(**{"patience": 3, **limits})
    return train(task, Samples(noise, 64, 16, 0, "toy"), steps, Checkpoints(folder, "toy"), runtime(), settings, limits)


def test_rows_hold_the_spread_of_their_own_step(tmp_path):
    task = ToyTask(collapses=False)
    for row in toy(task, tmp_path).rows:
        pixels = sample_pixels(as_maps(task.outputs[row["step"] - 1]))
        assert row["similarity"] == pair_similarity(pixels)
        assert row["effective_rank"] == effective_rank(pixels.flatten(0, 1))


def test_a_healthy_run_ends_and_a_collapsed_one_is_stopped(tmp_path):
    rows = toy(ToyTask(collapses=False), tmp_path / "healthy").rows
    assert rows[-1]["step"] == 200 and rows[-1]["similarity"] < 0.5 and rows[-1]["effective_rank"] > 3
    task = ToyTask(collapses=True)
    with pytest.raises(UserError, match=r"toy: the features have collapsed\. similarity 0\.99\d+ is above") as stop:
        toy(task, tmp_path / "ill")
    last = task.seen[-1] + 1
    assert f"steps {last - 10} to {last}" in str(stop.value)
    assert 110 < last < 200


def test_the_checkpoint_that_a_stopped_run_leaves_is_from_before(tmp_path):
    task = ToyTask(collapses=True)
    with pytest.raises(UserError) as stop:
        toy(task, tmp_path)
    first_ill = task.seen[-1] + 1 - 10
    kept = Checkpoints(tmp_path, "toy").latest()
    assert kept["step"] == max(range(100, first_ill, 4))
    assert all(row["step"] < first_ill for row in kept["rows"])
    assert f"keeps step {kept['step']}:" in str(stop.value)


def test_a_signal_while_the_features_are_ill_keeps_the_checkpoint_from_before(tmp_path, caplog):
    task = ToyTask(collapses=True)
    with pytest.raises(UserError):
        toy(task, tmp_path / "stopped")
    first_ill = task.seen[-1] + 1 - 10

    class Signalled(ToyTask):
        def after_step(self, step):
            if step == first_ill:
                os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(SystemExit) as end:
        toy(Signalled(collapses=True), tmp_path / "signalled")
    assert end.value.code == RUN_AGAIN
    assert "the state before the features fell ill is kept" in caplog.text
    assert Checkpoints(tmp_path / "signalled", "toy").latest()["step"] == max(range(100, first_ill, 4))


@pytest.mark.parametrize("stop_at", [131, 150, 170])
def test_a_resumed_run_is_stopped_at_the_same_step_with_the_same_words(tmp_path, stop_at):
    def stopped(folder, task):
        with pytest.raises(UserError) as stop:
            toy(task, tmp_path / folder)
        return str(stop.value).replace(folder, ""), task.seen[-1]

    whole = stopped("whole", ToyTask(collapses=True))
    stop_at = min(stop_at, whole[1])
    with pytest.raises(InterruptedError):
        toy(ToyTask(collapses=True, stop_at=stop_at), tmp_path / "broken")
    task = ToyTask(collapses=True)
    assert stopped("broken", task) == whole
    assert task.seen[0] > 100


def test_with_warn_a_stopped_run_goes_on_from_its_checkpoint_to_the_same_end(tmp_path):
    whole = ToyTask(collapses=True)
    expected = toy(whole, tmp_path / "whole", action="warn").rows
    with pytest.raises(UserError):
        toy(ToyTask(collapses=True), tmp_path / "stopped")
    task = ToyTask(collapses=True)
    assert toy(task, tmp_path / "stopped", action="warn").rows == expected
    assert task.seen[0] > 100
    assert torch.equal(task.module.weight, whole.module.weight)


def test_watching_changes_no_bit_of_the_training(tmp_path):
    """The same steps without the loop, its rows and its statistics."""
    task, plain = ToyTask(collapses=False), ToyTask(collapses=False)
    torch.manual_seed(3)
    toy(task, tmp_path, range(12))
    drawn = torch.rand(2)
    batches = Samples(lambda _, g, __: {"x": g.standard_normal(8).astype(np.float32)}, 64, 16, 0, "toy")
    torch.manual_seed(3)
    for step, batch in enumerate(batches.batches(0, 12, 0, pinned=False)):
        plain.optimiser.param_groups[0]["lr"] = 0.2
        plain.optimiser.zero_grad()
        plain.losses(batch, step)["loss"].backward()
        nn.utils.clip_grad_norm_(plain.module.parameters(), 1.0)
        plain.optimiser.step()
    assert torch.equal(task.module.weight, plain.module.weight)
    assert torch.equal(drawn, torch.rand(2))  # nor a random number


FAILING_RUN = """
import sys
from pathlib import Path
from maskvos.console import run_stage
from tests.training import test_loop

run_stage("toy", lambda: test_loop.run(test_loop.LineTask(wrong_at=4), Path(sys.argv[1]), workers=2))
"""


def test_a_stage_that_fails_ends_with_the_processes_that_decode(tmp_path):
    """They ignore SIGTERM, which is all that the interpreter sends them at its end."""
    command = [sys.executable, "-c", FAILING_RUN, str(tmp_path / "checkpoints")]
    ended = subprocess.run(
        command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=90
    )
    assert ended.returncode == 2, ended.stderr
    assert "not a number in step 5" in ended.stderr


SLOW_RUN = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
from tests.training import test_loop

class SlowTask(test_loop.LineTask):
    def losses(self, batch, step):
        print(step, flush=True)
        time.sleep(0.02)
        return super().losses(batch, step)

settings = SimpleNamespace(log_every=50, checkpoint_every=5000)
test_loop.run(SlowTask(), Path(sys.argv[1]), range(2000), settings, workers=2)
"""


def test_a_signal_to_all_processes_spares_the_ones_that_decode(tmp_path):
    """Slurm signals every process of a step; a killed worker would raise instead of saving."""
    command = [sys.executable, "-c", SLOW_RUN, str(tmp_path)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        while process.stdout.readline().strip() != "3":
            assert process.poll() is None, process.stderr.read()
        time.sleep(0.1)
        os.killpg(process.pid, signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == RUN_AGAIN, errors
    assert Checkpoints(tmp_path, "run").latest()["step"] >= 4
