import argparse
import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from maskvos.errors import UserError
from maskvos.evaluation import outputs as module
from maskvos.evaluation.faults import Fault
from maskvos.evaluation.formats import render
from maskvos.evaluation.ground_truth import GroundTruth
from maskvos.evaluation.output_options import add_output_arguments, read_outputs
from maskvos.evaluation.outputs import Outputs, print_tables
from maskvos.evaluation.worst import Scene
from tests.evaluation.results import make_result

SCENE = Scene(GroundTruth(Path("root"), Path("root")), Path("predictions"))  # read only where pictures are asked for


def read(*words: object) -> Outputs:
    parser = argparse.ArgumentParser()
    add_output_arguments(parser)
    return read_outputs(parser.parse_args([str(word) for word in words]))


def test_several_files_and_a_program_reading_standard_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    result = make_result()
    names = ("m.json", "m.csv", "m.md", "m.tex")
    words = [word for name in names for word in ("--output", tmp_path / "new" / name)]
    read(*words, "--frames", tmp_path / "frames.csv", "--format", "latex", "--sort", "best").write(result, SCENE)
    for name, style in zip(names, ("json", "csv", "markdown", "latex"), strict=True):
        assert (tmp_path / "new" / name).read_text() == render(result, style, "best")
    assert (tmp_path / "new" / "m_objects.csv").read_text().splitlines()[1].startswith("cat_a_1,0.6")
    assert len((tmp_path / "frames.csv").read_text().splitlines()) == 17
    printed = capsys.readouterr()
    assert printed.out == render(result, "latex", "best")
    assert printed.err.startswith("written: ")


def test_all_files_or_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "m.json").write_text("older")
    outputs = read("--output", tmp_path / "m.json", "--output", tmp_path / "m.md", "--frames", tmp_path / "file/f.csv")
    (tmp_path / "file").touch()  # only now: the options are checked when they are read
    with pytest.raises(UserError, match=r"cannot write .*file/f\.csv"):
        outputs.write(make_result(), SCENE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "m.json"]
    assert (tmp_path / "m.json").read_text() == "older"
    assert not capsys.readouterr().out


def test_what_was_forgiven_is_said(capsys: pytest.CaptureFixture[str]):
    result = replace(make_result(), forgiven=(Fault("cat_a", (), "cat_a has a stranger"),))
    read("--format", "csv").write(result, SCENE)
    printed = capsys.readouterr()
    assert printed.out == render(result, "csv")
    assert printed.err == "forgiven: cat_a has a stranger\n"


def test_without_output_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    read().write(make_result(), SCENE)
    printed = capsys.readouterr().out
    assert "written" not in printed
    assert "mean over objects" in printed
    assert not list(tmp_path.iterdir())


def test_a_terminal_of_80_columns_cuts_no_word(monkeypatch: pytest.MonkeyPatch):
    console = Console(file=io.StringIO(), width=80)
    print_tables(make_result(), "worst", console)
    text = console.file.getvalue()
    assert "…" not in text
    places = [text.index(part) for part in ("test protocol val: 4 objects", "cat_a_10", "cat_a_2", "Sequence")]
    assert places == sorted(places)
    monkeypatch.setattr(module, "MOST_OBJECTS", 3)
    console = Console(file=io.StringIO(), width=80)
    print_tables(make_result(), "worst", console)
    assert "cat_a_10" not in console.file.getvalue()


def test_another_evaluation_in_the_same_folder_takes_nothing_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Whoever writes there first looks for what killed processes left; a lock says what is being written."""

    def meanwhile(*_: object) -> None:
        program = "import sys; from pathlib import Path; from maskvos.storage.atomic import remove_abandoned"
        subprocess.run([sys.executable, "-c", f"{program}; remove_abandoned(Path(sys.argv[1]))", tmp_path], check=True)

    monkeypatch.setattr(module, "write_worst", meanwhile)
    words = ("--output", tmp_path / "a.json", "--frames", tmp_path / "frames.csv", "--show-worst", "2")
    read(*words).write(make_result(), SCENE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "a_objects.csv", "frames.csv"]
