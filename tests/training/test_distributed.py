"""Two processes do what one does: every task, its losses, gradients, weights, statistics and curves."""

import functools

import pytest
import torch

from maskvos.training.checkpoints import Checkpoints
from maskvos.training.loop import train
from tests.plain.precision import code_in_float64
from tests.processes import in_processes
from tests.tasks import RUNS
from tests.tiny import collapse, runtime, write_frames


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
