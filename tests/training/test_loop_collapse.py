"""The training loop watches the features: what its rows say, when it stops, and what it leaves then."""

import os
import signal
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from maskvos.errors import UserError
from maskvos.learning.spread import effective_rank, pair_similarity, sample_pixels
from maskvos.training.checkpoints import Checkpoints
from maskvos.training.collapse import FeatureSample
from maskvos.training.loop import train
from maskvos.training.order import Samples
from maskvos.training.stopping import RUN_AGAIN
from tests.tiny import collapse, runtime
from tests.training.line_task import as_maps


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
