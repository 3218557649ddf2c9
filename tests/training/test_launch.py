"""One command, several processes: what they are told, what becomes of signals, failures and a hard kill."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
START = """
import os, signal, sys, time
from pathlib import Path
if "RANK" not in os.environ:
    from maskvos.console import start_log
    from maskvos.training.launch import launch
    start_log(None)
    sys.exit(launch(3))
rank = int(os.environ["RANK"])
stop = []
for number in (signal.SIGTERM, signal.SIGUSR1):
    signal.signal(number, lambda *_: stop.append(1))
Path(f"started-{rank}").write_text(str(os.getpid()))
"""


@pytest.fixture
def start(tmp_path):
    """Starts a script of three processes; ``body`` is what each of them does."""
    started = []

    def begin(body):
        (tmp_path / "script.py").write_text(START + body)
        process = subprocess.Popen(
            [sys.executable, "script.py", "word"],
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def wait_for_all(folder, process):
    pids = []
    for rank in range(3):
        while not (folder / f"started-{rank}").exists() or not (folder / f"started-{rank}").read_text():
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.05)
        pids.append(int((folder / f"started-{rank}").read_text()))
    return pids


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_each_is_told_its_number_and_gets_the_same_words(tmp_path, start):
    body = """
names = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR")
Path(f"told-{rank}").write_text(" ".join([*(os.environ[name] for name in names), *sys.argv]))
"""
    assert start(body).wait(timeout=60) == 0
    for rank in range(3):
        assert (tmp_path / f"told-{rank}").read_text() == f"{rank} {rank} 3 3 127.0.0.1 script.py word"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1], ids=str)
def test_a_signal_reaches_all_and_the_one_that_saves_is_waited_for(tmp_path, start, number):
    body = """
while not stop:
    time.sleep(0.05)
time.sleep(4 if rank == 0 else 0)
Path(f"saved-{rank}").touch()
sys.exit(75)
"""
    process = start(body)
    wait_for_all(tmp_path, process)
    process.send_signal(number)
    assert process.wait(timeout=60) == 75
    assert all((tmp_path / f"saved-{rank}").exists() for rank in range(3))


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ("if rank == 1: os.kill(os.getpid(), signal.SIGKILL)", 137, "process 1 of 3 ended with status 137"),
        ("if rank == 2: sys.exit(5)", 5, "process 2 of 3 ended with status 5"),
        ("if rank == 1: time.sleep(0.5); sys.exit(2)\nif rank == 0: sys.exit(1)", 2, ""),
    ],
)
def test_one_that_fails_ends_all_of_them(tmp_path, start, body, status, message):
    process = start(body + "\ntime.sleep(600)")
    pids = wait_for_all(tmp_path, process)
    assert process.wait(timeout=60) == status
    assert message in process.stderr.read()
    assert not any(alive(pid) for pid in pids)


def test_none_outlives_a_launcher_that_is_killed_hard(tmp_path, start):
    process = start("time.sleep(600)")
    pids = wait_for_all(tmp_path, process)
    process.kill()
    process.wait()
    end = time.monotonic() + 30
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < end
        time.sleep(0.05)
