"""How a run of the training loop ends early: by a signal, without frames, by an error, with its other processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from maskvos.errors import UserError
from maskvos.training.checkpoints import Checkpoints
from maskvos.training.loop import train
from maskvos.training.order import Samples
from maskvos.training.stopping import RUN_AGAIN
from tests.tiny import runtime
from tests.training.line_task import ANYTHING, SETTINGS, LineTask, make, run

ROOT = Path(__file__).parents[2]


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


FAILING_RUN = """
import sys
from pathlib import Path
from maskvos.console import run_stage
from tests.training import line_task

run_stage("toy", lambda: line_task.run(line_task.LineTask(wrong_at=4), Path(sys.argv[1]), workers=2))
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
from tests.training import line_task

class SlowTask(line_task.LineTask):
    def losses(self, batch, step):
        print(step, flush=True)
        time.sleep(0.02)
        return super().losses(batch, step)

settings = SimpleNamespace(log_every=50, checkpoint_every=5000)
line_task.run(SlowTask(), Path(sys.argv[1]), range(2000), settings, workers=2)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_all_processes_spares_the_ones_that_decode(tmp_path, number):
    """Slurm signals every process of a step, Ctrl-C all of a terminal; were a worker killed, nothing would be saved."""
    command = [sys.executable, "-c", SLOW_RUN, str(tmp_path)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        while process.stdout.readline().strip() != "3":
            assert process.poll() is None, process.stderr.read()
        time.sleep(0.1)
        os.killpg(process.pid, number)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == RUN_AGAIN, errors
    assert Checkpoints(tmp_path, "run").latest()["step"] >= 4
