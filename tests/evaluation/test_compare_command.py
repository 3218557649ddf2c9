"""``maskvos evaluate compare`` as users call it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from maskvos.cli import main
from maskvos.evaluation import Result, write_frames, write_metrics
from maskvos.evaluation.compare_command import frame_table
from maskvos.evaluation.runs import Run
from tests.evaluation.pairs import make_runs


def write(run: Run, folder: Path, frames: bool = True) -> None:
    result = Result.of_frames(run.protocol, run.frames, set=run.set)
    write_metrics(result, folder / "metrics.json")
    if frames:
        write_frames(result.frames, folder / "frames.csv")


def compare(*words: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", "compare", *map(str, words)])
    return int(ended.value.code or 0)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for run, name in zip(make_runs([0.04, 0.06, 0.05, 0.01, 0.07, 0.02]), ("a", "b"), strict=True):
        write(run, tmp_path / name)
    return tmp_path / "a", tmp_path / "b"


def test_prints_the_verdict_last_and_writes_the_files(folders, tmp_path: Path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert compare(*folders, "--rows", 2, "--output", tmp_path / "c.json", "--output", tmp_path / "c.md") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"A: {tmp_path}/a/metrics.json"
    assert lines[-2].startswith("B is better by ")
    assert lines[-1] == f"written: {tmp_path}/c.json, {tmp_path}/c.md"
    text = "\n".join(lines)
    assert "frames where they differ most" in text
    assert "s04 " in text
    assert "s03 " not in text
    assert (tmp_path / "c.md").read_text().startswith("B is better by ")


def test_a_lenient_run_is_said_to_be_one(folders, capsys):
    path = folders[1] / "metrics.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "forgiven": [{"fault": "x"}, {"fault": "y"}]}))
    assert compare(*folders) == 0
    assert capsys.readouterr().out.splitlines()[:2] == [
        f"A: {folders[0]}/metrics.json",
        f"B: {path} (lenient: 2 faults forgiven)",
    ]


def test_without_frames_that_table_is_left_out(folders, capsys):
    (folders[0] / "frames.csv").unlink()
    assert compare(*folders) == 0
    assert "frames where" not in capsys.readouterr().out


def test_a_program_gets_the_text_alone(folders, tmp_path: Path, capsys):
    assert compare(folders[0] / "metrics.json", folders[1], "--format", "csv", "--output", tmp_path / "c.csv") == 0
    printed = capsys.readouterr()
    assert printed.out == (tmp_path / "c.csv").read_text()
    assert printed.err.startswith("written: ")


def test_mistakes_write_nothing(folders, tmp_path: Path, capsys):
    for path in (folders[0] / "metrics.json", folders[1] / "frames.csv"):
        before = path.read_bytes()
        assert compare(*folders, "--output", path) == 2
        assert "would take the place of" in capsys.readouterr().err
        assert path.read_bytes() == before
    assert compare(*folders, "--rows", -1) == 2
    assert "--rows -1" in capsys.readouterr().err
    assert compare(*folders, "--output", tmp_path / "c.txt") == 2
    assert "unknown format" in capsys.readouterr().err
    write(replace(make_runs([0.1])[0], set="train"), tmp_path / "other")
    assert compare(folders[0], tmp_path / "other", "--output", tmp_path / "c.json") == 2
    assert "the set is 'train'" in capsys.readouterr().err
    assert not (tmp_path / "c.json").exists()


def test_frames_that_differ_most_in_either_direction():
    first, second = make_runs([0.0, 0.0])
    changed = second.frames["s01", 2]
    steps = np.array([0, 0, 0.3, 0.29, 0, 0, 0, -0.4])
    frames = {**second.frames, ("s01", 2): replace(changed, J=changed.J + steps, F=changed.F + steps)}
    table = frame_table(first, replace(second, frames=frames), most=2)
    assert [(line.label, line.cells[0].text, line.cells[3].text) for line in table.lines] == [
        ("s01_2", "00008", "−40.0"),
        ("s01_2", "00003", "+30.0"),
    ]
