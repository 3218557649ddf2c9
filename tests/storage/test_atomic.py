"""Outputs appear whole or not at all."""

import errno
import os
import signal
from pathlib import Path

import pytest

from maskvos.errors import UserError
from maskvos.storage import atomic
from maskvos.storage.atomic import atomic_file, atomic_folder, replace_folder
from tests.processes import clean_forks


def full_disk(*args, **kwargs):
    raise OSError(errno.ENOSPC, "No space left on device")


def names(folder):
    return sorted(path.name for path in folder.rglob("*"))


def write_file(target):
    with atomic_file(target) as partial:
        partial.write_text("new")


def write_folder(target):
    with atomic_folder(target) as partial:
        (partial / "inner").mkdir()
        (partial / "inner" / "a").write_text("new")


def test_file_replaces_and_leaves_nothing_beside(tmp_path):
    target = tmp_path / "deep" / "result.json"
    write_file(target)
    target.write_text("old")
    write_file(target)
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o644
    assert names(target.parent) == ["result.json"]


@pytest.mark.parametrize("before", ["absent", "folder", "file", "link"])
def test_folder_replaces_whatever_stood_there(tmp_path, before):
    target = tmp_path / "out"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").write_text("kept")
    if before == "folder":
        target.mkdir()
        (target / "old").write_text("old")
    elif before == "file":
        target.write_text("old")
    elif before == "link":
        target.symlink_to(elsewhere)
    write_folder(target)
    assert names(target) == ["a", "inner"]
    assert not target.is_symlink()
    assert names(tmp_path) == ["a", "elsewhere", "inner", "kept", "out"]


@pytest.mark.parametrize("error", [RuntimeError("crash"), KeyboardInterrupt()])
def test_crash_inside_keeps_the_previous_content(tmp_path, error):
    write_file(tmp_path / "file")
    write_folder(tmp_path / "folder")
    before = names(tmp_path)
    with pytest.raises(type(error)), atomic_file(tmp_path / "file") as partial:
        partial.write_text("half")
        raise error
    with pytest.raises(type(error)), atomic_folder(tmp_path / "folder") as partial:
        (partial / "half").write_text("half")
        raise error
    assert names(tmp_path) == before
    assert (tmp_path / "file").read_text() == "new"


@pytest.mark.parametrize("write", [write_file, write_folder])
@pytest.mark.parametrize("where", ["write", "sync"])
def test_full_disk_is_a_users_error_and_changes_nothing(tmp_path, monkeypatch, write, where):
    target = tmp_path / "out"
    write(target)
    before = names(tmp_path)
    if where == "write":
        monkeypatch.setattr(Path, "write_text", full_disk)
    else:
        monkeypatch.setattr(atomic.os, "fsync", full_disk)
    with pytest.raises(UserError, match=r"out.*No space left.*Free space"):
        write(target)
    monkeypatch.undo()
    assert names(tmp_path) == before


def test_unwritable_place_is_a_users_error(tmp_path):
    (tmp_path / "file").write_text("")
    for write in (write_file, write_folder):
        with pytest.raises(UserError, match="cannot write"):
            write(tmp_path / "file" / "inside" / "out")
        with pytest.raises(UserError, match="cannot write"):
            write(tmp_path / ("long" * 100))  # no error of the list, but before the block


def test_an_error_of_the_caller_keeps_its_type(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_file(tmp_path / "out"):
        (tmp_path / "absent").read_text()
    assert names(tmp_path) == []


def killed_while_writing(folder, ready, target):
    """Holds half an output until it is killed."""
    with (atomic_folder if folder else atomic_file)(target) as partial:
        (partial / "half" if folder else partial).write_text("half")
        ready.set()
        signal.pause()


@pytest.mark.parametrize("folder", [False, True])
def test_what_a_killed_process_left_is_removed_by_the_next_and_what_a_living_one_writes_is_not(tmp_path, folder):
    context, target = clean_forks(), tmp_path / "out.[1]"
    write = write_folder if folder else write_file
    ready = context.Event()
    process = context.Process(target=killed_while_writing, args=(folder, ready, target))
    process.start()
    assert ready.wait(30)
    write(target)
    assert sum(".tmp-" in name for name in names(tmp_path)) == 1  # it may still be going on
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    atomic._tidied.clear()  # as in a new process
    write(tmp_path / "other")
    assert not any(".tmp-" in name for name in names(tmp_path))


def test_a_folder_that_cannot_be_put_in_place_leaves_the_one_before(tmp_path, monkeypatch):
    write_folder(tmp_path / "out")
    rename, calls = Path.replace, []

    def replace(path, target):
        calls.append(path)
        if len(calls) == 2:
            raise OSError(errno.EIO, "Input/output error")
        return rename(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(UserError, match="Nothing was changed"):
        write_folder(tmp_path / "out")
    assert names(tmp_path) == ["a", "inner", "out"]


def test_a_folder_that_cannot_take_its_place_stays(tmp_path, monkeypatch):
    (tmp_path / "partial").mkdir()
    (tmp_path / "partial" / "a").write_text("new")
    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(UserError, match=r"cannot write .*out"):
        replace_folder(tmp_path / "partial", tmp_path / "out")
    monkeypatch.undo()
    replace_folder(tmp_path / "partial", tmp_path / "out")
    assert (tmp_path / "out" / "a").read_text() == "new"
    assert names(tmp_path) == ["a", "out"]


def test_a_kill_between_the_two_renames_loses_nothing(tmp_path):
    """The old folder bears its spare name, the new one is whole but unnamed: the next writer puts the old one back."""
    write_folder(tmp_path / "out")
    (tmp_path / "out").rename(tmp_path / ".out.tmp-abc-before")
    (tmp_path / ".out.tmp-abc").mkdir()
    atomic.remove_abandoned(tmp_path)
    assert names(tmp_path) == ["a", "inner", "out"]


@pytest.mark.parametrize("write", [write_file, write_folder])
def test_what_is_taken_for_abandoned_before_it_is_locked_is_made_again(tmp_path, monkeypatch, write):
    lock, taken = atomic._lock, []

    def late(path):
        if not taken:
            taken.append(path)
            atomic.remove_abandoned(tmp_path)
            assert not path.exists()
        return lock(path)

    monkeypatch.setattr(atomic, "_lock", late)
    write(tmp_path / "out")
    assert (tmp_path / "out").exists() and taken


@pytest.mark.parametrize("write", [write_file, write_folder])
def test_a_folder_that_somebody_removes_before_anything_lies_in_it_is_made_again(tmp_path, monkeypatch, write):
    prepare = atomic._prepare

    def late(folder):
        prepare(folder)
        folder.rmdir()

    monkeypatch.setattr(atomic, "_prepare", late)
    write(tmp_path / "common" / "out")
    assert (tmp_path / "common" / "out").exists()


def test_a_file_that_somebody_removes_with_its_folder_at_once_is_no_error(tmp_path, monkeypatch):
    rename, target = Path.replace, tmp_path / "common" / "out"

    def replace(path, to):
        rename(path, to)
        target.unlink()
        target.parent.rmdir()

    monkeypatch.setattr(Path, "replace", replace)
    write_file(target)
    assert names(tmp_path) == []


def test_what_stood_there_before_an_interrupted_replacement_is_in_no_later_ones_way(tmp_path, monkeypatch):
    partial, target = tmp_path / "partial", tmp_path / "out"
    for content in ("first", "second", "third"):
        partial.mkdir()
        (partial / content).write_text(content)
        if content == "second":
            with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
                patched.setattr(atomic.shutil, "rmtree", interrupt_once())
                replace_folder(partial, target)
            assert names(target) == ["second"] and (tmp_path / "partial-before").is_dir()
        else:
            replace_folder(partial, target)
    assert names(tmp_path) == ["out", "third"]


def interrupt_once():
    """In the place of `shutil.rmtree`: does its work until the new folder stands there."""
    remove = atomic.shutil.rmtree

    def rmtree(path, **options):
        if path.is_dir():
            raise KeyboardInterrupt
        remove(path, **options)

    return rmtree
