"""Unfinished runs: continued by the same command, never by another, never by two processes."""

import shutil
from pathlib import Path

import pytest

from maskvos.errors import UserError
from maskvos.inference.partial_run import clear, partial_folder, partial_run


class Broken(Exception):
    pass


def interrupt(output, identity, keep=True):
    with pytest.raises(Broken), partial_run(output, identity) as run:
        (run.masks / "00000.png").write_bytes(b"mask")
        if keep:
            run.state.write_bytes(b"state")
        raise Broken


def test_success_makes_the_output_and_leaves_nothing_beside_it(tmp_path):
    output = tmp_path / "out"
    output.mkdir()
    (output / "old.png").touch()
    with partial_run(output, {"a": "1"}) as run:
        (run.masks / "00000.png").write_bytes(b"mask")
        run.state.write_bytes(b"state")
        assert (output / "old.png").exists()
        run.publish()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert [path.name for path in output.iterdir()] == ["00000.png"]


def test_the_same_command_finds_what_was_done(tmp_path, caplog):
    with caplog.at_level("INFO", logger="maskvos"):
        interrupt(tmp_path / "out", {"a": "1"})
        assert "out.partial keeps what is done" in caplog.text
    with partial_run(tmp_path / "out", {"a": "1"}) as run:
        assert run.state.read_bytes() == b"state"
        assert (run.masks / "00000.png").read_bytes() == b"mask"
        run.publish()


def test_a_run_that_started_afresh_within_is_continued_too(tmp_path):
    """As `TrackingLoop` does where frames that were done have changed."""
    with pytest.raises(Broken), partial_run(tmp_path / "out", {"a": "1"}) as run:
        clear(run)
        run.state.write_bytes(b"state")
        raise Broken
    with partial_run(tmp_path / "out", {"a": "1"}) as run:
        assert run.state.read_bytes() == b"state"
        run.publish()


@pytest.mark.parametrize(
    ("identity", "word"), [({"a": "2", "b": "1"}, "a"), ({"b": "1"}, "a"), ({"c": "1"}, "a, b, c")]
)
def test_another_command_starts_afresh_and_says_why(tmp_path, caplog, identity, word):
    interrupt(tmp_path / "out", {"a": "1", "b": "1"})
    with caplog.at_level("INFO", logger="maskvos"), partial_run(tmp_path / "out", identity) as run:
        assert not run.state.exists()
        assert not any(run.masks.iterdir())
        run.publish()
    assert f"an unfinished run with another {word}; starting afresh" in caplog.text


def test_nothing_is_left_where_nothing_was_done(tmp_path):
    interrupt(tmp_path / "out", {"a": "1"}, keep=False)
    assert not any(tmp_path.iterdir())


def test_a_record_that_a_kill_cut_short(tmp_path):
    interrupt(tmp_path / "out", {"a": "1"})
    (tmp_path / "out.partial" / "run.json").write_text('{"a":')
    with partial_run(tmp_path / "out", {"a": "1"}) as run:
        assert not run.state.exists()
        run.publish()


def test_a_kill_right_after_the_output_was_made(tmp_path):
    interrupt(tmp_path / "out", {"a": "1"})
    (tmp_path / "out.partial" / "masks").rename(tmp_path / "out")
    with partial_run(tmp_path / "out", {"a": "1"}) as run:
        assert not run.state.exists()
        assert not any(run.masks.iterdir())
        run.publish()


def test_two_processes(tmp_path):
    with partial_run(tmp_path / "out", {"a": "1"}) as run:
        run.state.touch()
        with pytest.raises(UserError, match="another process"), partial_run(tmp_path / "out", {"a": "2"}):
            pass
        assert run.state.exists()


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_is_not_an_unfinished_run_is_left_alone(tmp_path, kind):
    place = tmp_path / "out.partial"
    if kind == "folder":
        place.mkdir()
        (place / "notes.txt").write_text("dear")
    else:
        place.write_text("dear")
    with pytest.raises(UserError, match="holds something else"), partial_run(tmp_path / "out", {}):
        pass
    assert (place / "notes.txt" if kind == "folder" else place).read_text() == "dear"


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot write"), partial_run(tmp_path / "file" / "out", {}):
        pass


def test_where_it_lies(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert partial_folder(Path("a/out/")) == Path("a/out.partial")
    assert partial_folder(Path()) == tmp_path / "here.partial"
    assert partial_folder(Path("..")) == tmp_path.with_name(f"{tmp_path.name}.partial")


def test_a_run_that_was_killed_once_the_output_stood_there_is_in_no_later_ones_way(tmp_path):
    output = tmp_path / "out"
    for number in ("1", "2"):
        with partial_run(output, {"a": number}) as run:
            (run.masks / number).touch()
            if number == "1":
                run.publish()
    shutil.copytree(output, run.folder / "masks-before")  # what a kill leaves behind the two renames of `publish`
    shutil.rmtree(output)
    run.masks.rename(output)
    with partial_run(output, {"a": "2"}) as run:
        (run.masks / "again").touch()
        run.publish()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert [path.name for path in output.iterdir()] == ["again"]
