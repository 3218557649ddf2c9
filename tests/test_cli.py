"""The command line as a whole."""

import os
import subprocess
import sys

import pytest

from maskvos.cli import COMMANDS, main
from maskvos.inference.segment_options import OWN_WEIGHTS


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_help_of_its_own(name, capsys):
    with pytest.raises(SystemExit) as stop:
        main([name, "--help"])
    assert stop.value.code == 0
    assert f"maskvos {name}" in capsys.readouterr().out


def test_a_users_error_is_one_line_and_status_2(capsys, tmp_path):
    with pytest.raises(SystemExit) as stop:
        main(["table", str(tmp_path / "nothing")])
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("maskvos: error: ")
    assert error.count("\n") == 1


def test_evaluation_needs_no_torch():
    code = "import sys, maskvos.cli; maskvos.cli.main(['evaluate', '--help'])"
    probe = f"import atexit, sys; atexit.register(lambda: print('torch' in sys.modules)); exec({code!r})"
    shown = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout
    assert shown.strip().endswith("False")


def test_a_termination_leaves_nothing_half_written(tmp_path):
    program = f"""
import os, signal, sys
from maskvos import cli
from maskvos.storage.atomic import atomic_file
def run(arguments):
    with atomic_file({str(tmp_path / "a.json")!r}) as partial:
        partial.write_text("half")
        os.kill(os.getpid(), signal.SIGTERM)
import maskvos.evaluation.command as command
command._davis = run
sys.argv = ["maskvos", "evaluate", "davis", "--ground-truth", ".", "--predictions", "."]
cli.main()
"""
    assert subprocess.run([sys.executable, "-c", program], capture_output=True).returncode == 143
    assert not list(tmp_path.iterdir())


def test_ctrl_c_is_one_line(capsys, monkeypatch, tmp_path):
    def interrupt(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("maskvos.evaluation.compare_command.run_compare", interrupt)
    with pytest.raises(SystemExit) as stop:
        main(["evaluate", "compare", str(tmp_path), str(tmp_path)])
    assert stop.value.code == 130
    assert capsys.readouterr().err == "maskvos: interrupted\n"


def test_the_evaluators_workers_need_no_opencv():
    code = "import sys, maskvos.evaluation.scoring; print('cv2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"False\n"


def test_a_reader_who_stops_early_is_no_error():
    read, write = os.pipe()
    os.close(read)  # as `maskvos weights show FILE | head` leaves it
    command = [sys.executable, "-m", "maskvos.cli", "weights", "show", str(OWN_WEIGHTS)]
    run = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (run.returncode, run.stderr) == (141, "")


def test_another_broken_pipe_is_an_error(monkeypatch, tmp_path):
    def lose_worker(arguments):
        raise BrokenPipeError("to a worker that has died")

    monkeypatch.setattr("maskvos.evaluation.compare_command.run_compare", lose_worker)
    with pytest.raises(BrokenPipeError, match="worker"):
        main(["evaluate", "compare", str(tmp_path), str(tmp_path)])


@pytest.mark.parametrize(
    "command",
    [
        ["segment", "video", "--mask", "m.png", "--output", "o", "--overlay", "x"],
        ["evaluate", "davis", "--ground-truth", "g", "--predictions", "p", "--lat", "x"],
    ],
)
def test_no_option_is_abbreviated(capsys, command):
    with pytest.raises(SystemExit, match="2"):
        main(command)
    assert f"unrecognized arguments: {command[-2]}" in capsys.readouterr().err


def test_an_unknown_option_is_the_subcommands_error_and_names_the_nearest(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["evaluate", "davis", "--ground-truth", "g", "--predictions", "p", "--show-wurst", "3"])
    error = capsys.readouterr().err
    assert error.startswith("usage: maskvos evaluate davis")
    assert error.endswith("error: unrecognized arguments: --show-wurst 3. Did you mean --show-worst?\n")
