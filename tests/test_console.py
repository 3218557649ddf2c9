"""Every stage's frame: clean errors, a log file, a record."""

import errno
import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from maskvos.console import log, run_stage, start_log
from maskvos.errors import UserError

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)


def fail():
    raise UserError("clip.mp4: not a video, expected one; convert it")


def test_record_holds_time_place_and_what_the_stage_returned():
    run_stage("prepare", lambda: {"frames": 12})
    record = json.loads(Path("logs/prepare.json").read_text())
    assert record["stage"] == "prepare"
    assert record["frames"] == 12
    assert record["seconds"] >= 0
    assert record["cores"] >= 1
    assert {"started", "host", "processor", "accelerator", "revision"} <= set(record)


def test_stage_that_returns_nothing_has_a_record():
    run_stage("report", lambda: None)
    assert json.loads(Path("logs/report.json").read_text())["stage"] == "report"


def test_users_error_ends_with_status_two_and_without_a_record(capsys):
    with pytest.raises(SystemExit) as ended:
        run_stage("prepare", fail)
    assert ended.value.code == 2
    assert not Path("logs/prepare.json").exists()
    assert "error: clip.mp4: not a video" in Path("logs/prepare.log").read_text()


def test_other_errors_are_not_hidden():
    with pytest.raises(ZeroDivisionError):
        run_stage("prepare", lambda: {"rate": 1 / 0})


def test_a_failed_run_keeps_the_record_of_the_one_before():
    run_stage("prepare", lambda: {"frames": 12})
    with pytest.raises(SystemExit):
        run_stage("prepare", fail)
    assert json.loads(Path("logs/prepare.json").read_text())["frames"] == 12


def test_log_lines_go_to_the_file_and_are_appended():
    for line in ("one", "two"):
        start_log("logs/deep/stage.log")
        log.info(line)
    assert [line.split(" ", 1)[1] for line in Path("logs/deep/stage.log").read_text().splitlines()] == ["one", "two"]


def test_as_a_process_one_line_on_stderr_and_no_traceback(tmp_path):
    program = (
        "from maskvos.console import run_stage; from maskvos.errors import UserError\n"
        "def main(): raise UserError('x.png: damaged; restore it')\n"
        "run_stage('evaluate-davis-full', main)\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.rstrip().endswith("error: x.png: damaged; restore it")


def test_a_stage_that_is_done_does_not_fail_for_want_of_a_record(caplog):
    """Snakemake would delete what it made."""
    Path("logs/prepare.json").mkdir(parents=True)
    run_stage("prepare", lambda: None)
    assert (
        "the stage is done, but has no record: cannot write logs/prepare.json" in Path("logs/prepare.log").read_text()
    )


def test_what_the_system_refuses_is_one_line(capsys):
    with pytest.raises(SystemExit) as ended:
        run_stage("prepare", lambda: {"bytes": Path("no/such/frame.jpg").stat().st_size})
    assert ended.value.code == 2
    assert "error: no/such/frame.jpg: No such file or directory. Correct" in Path("logs/prepare.log").read_text()


def test_what_no_name_can_mend_is_not_explained_away():
    def exhausted():
        raise OSError(errno.EMFILE, "Too many open files", "frame.jpg")

    with pytest.raises(OSError, match="Too many"):
        run_stage("prepare", exhausted)


def test_a_file_in_place_of_the_logs_is_one_line(capsys):
    Path("logs").touch()
    with pytest.raises(SystemExit) as ended:
        run_stage("prepare", lambda: None)
    assert ended.value.code == 2


def test_ctrl_c_is_one_line():
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as ended:
        run_stage("prepare", interrupted)
    assert ended.value.code == 130
    assert Path("logs/prepare.log").read_text().strip().endswith("interrupted")
