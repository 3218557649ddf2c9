"""Two processes do what one does: every task, its losses, gradients, weights, statistics and curves."""

import functools
from types import SimpleNamespace

import pytest
import torch

from maskvos.errors import UserError
from maskvos.parallel.collectives import rank
from maskvos.training.checkpoints import Checkpoints
from maskvos.training.loop import train
from tests.plain.precision import code_in_float64
from tests.processes import in_processes
from tests.tasks import RUNS
from tests.tiny import collapse, runtime, write_frames
from tests.training.line_task import LineTask, samples


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs") / "frames"
    write_frames(folder, clips=8)
    return folder


def trained(make, frames, folder, steps, changes, **how):
    """All that a run of the loop leaves, in float64."""
    with code_in_float64():
        task, samples, settings = make(frames, **changes)
        task.module.double()
        checkpoints = Checkpoints(folder, "run")
        limits = collapse(warmup=1.0)
        rows = train(task, samples, range(steps), checkpoints, runtime(**how), settings, limits).rows
        gradients = {name: p.grad for name, p in task.module.named_parameters()}
        return {"rows": rows, "state": dict(task.module.state_dict()), "gradients": gradients}


def assert_alike(found, expected, tolerance=1e-9):
    assert [sorted(row) for row in found["rows"]] == [sorted(row) for row in expected["rows"]]
    for row, other in zip(found["rows"], expected["rows"], strict=True):
        for name, value in row.items():
            assert value == pytest.approx(other[name], rel=1e-7, abs=1e-9), name
    for part in ("state", "gradients"):
        assert found[part].keys() == expected[part].keys()
        for name, value in found[part].items():
            other = expected[part][name]
            if other is None:
                assert value is None, name
            else:
                torch.testing.assert_close(value, other, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("run", RUNS)
def test_two_processes_are_one(frames, tmp_path, run):
    make, changes = RUNS[run]
    expected = trained(make, frames, tmp_path / "one", 2, changes)
    for found in in_processes(2, trained, make, frames, tmp_path / "two", 2, changes):
        assert_alike(found, expected)


def test_saved_memory_changes_nothing_with_several_processes_either(frames, tmp_path):
    """BatchNorm talks to the other processes once more where it is worked out again, amid the exchange of gradients."""
    make, changes = RUNS["contrastive"]
    expected = trained(make, frames, tmp_path / "one", 2, changes)
    saving = functools.partial(trained, save_memory=True)
    for found in in_processes(2, saving, make, frames, tmp_path / "two", 2, changes):
        assert_alike(found, expected)


class OneBadPart(LineTask):
    """In step 5 a recorded figure is no number in the second process alone; no gradient tells the first one."""

    def losses(self, batch, step):
        losses = super().losses(batch, step)
        return losses | ({"error": losses["error"] * float("nan")} if step == 4 and rank() == 1 else {})


def with_one_bad_part(folder, action):
    """What the run says, or how many steps it skipped and its weights."""
    task = OneBadPart()
    settings = SimpleNamespace(log_every=4, checkpoint_every=3)
    limits = collapse(max_similarity=1.0, min_effective_rank=1.0, non_finite=action)
    try:
        training = train(task, samples(), range(11), Checkpoints(folder, "run"), runtime(), settings, limits)
    except UserError as error:
        return str(error)
    return training.skipped, task.module.weight.detach()


def test_a_part_of_a_batch_that_is_no_number_is_one_for_all(tmp_path):
    said = in_processes(2, with_one_bad_part, tmp_path / "stop", "stop")
    assert said[0] == said[1] and "is not a number in step 5" in said[0] and "keeps step 3" in said[0]
    (skipped, weight), (other, same) = in_processes(2, with_one_bad_part, tmp_path / "skip", "skip")
    assert skipped == other == 1 and torch.equal(weight, same) and weight.isfinite().all()
