"""Finished items: whole or absent, of this run alone, and no run disturbs the same one elsewhere."""

import pytest

from maskvos.errors import UserError
from maskvos.storage.finished import Finished
from tests.storage.full_disk import message_of

RUN, OTHER = "0123456789abcdef" * 4, "f" * 64
FILES = {"00000.png": b"mask", "00001.png": b"", "b": bytes(range(256))}


def kept(folder, *items, run=RUN):
    finished = Finished(folder, run)
    for item in items:
        finished.keep(item, FILES)
    return finished


def items(folder):
    return sorted(path.name for path in (folder / RUN[:16]).iterdir())


def test_what_was_kept_comes_back(tmp_path):
    kept(tmp_path, "one")
    again = Finished(tmp_path, RUN)
    assert again.restore("one") == FILES
    assert again.restore("two") is None


def test_of_another_run_it_does_not_and_goes_once_this_one_keeps_something(tmp_path):
    kept(tmp_path, "one", run=OTHER)
    (tmp_path / "mine").mkdir()
    finished = Finished(tmp_path, RUN)
    assert finished.restore("one") is None
    assert Finished(tmp_path, OTHER).restore("one") == FILES  # a parameter that was changed by mistake, and back
    finished.keep("one", FILES)
    assert sorted(path.name for path in tmp_path.iterdir()) == [RUN[:16], "mine"]


def test_of_another_run_it_goes_with_the_outputs(tmp_path):
    kept(tmp_path, "one", run=OTHER)
    Finished(tmp_path, RUN).clear()
    assert not list(tmp_path.iterdir())


def test_in_a_common_folder_that_of_others_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("MASKVOS_CHECKPOINTS", str(tmp_path / "common"))
    kept(tmp_path / "a", "one", run=OTHER)
    finished = Finished(tmp_path / "b", RUN)
    assert finished.restore("one") is None
    finished.keep("one", FILES)
    finished.clear()
    assert [path.name for path in (tmp_path / "common").iterdir()] == [OTHER[:16]]
    assert Finished(tmp_path / "c", OTHER).restore("one") == FILES
    assert not list(tmp_path.glob("?"))


def test_a_common_folder_inside_the_copy_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("MASKVOS_CHECKPOINTS", "checkpoints/all")
    with pytest.raises(UserError, match="absolute path"):
        Finished(tmp_path, RUN)


def test_what_a_killed_write_left_is_removed(tmp_path):
    kept(tmp_path, "one")
    (tmp_path / RUN[:16] / ".two.finished.tmp-abc.finished").write_bytes(b"half")
    assert Finished(tmp_path, RUN).restore("two") is None
    assert items(tmp_path) == ["one.finished"]


@pytest.mark.parametrize(
    "damage", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: data[:-1] + bytes([data[-1] ^ 1])]
)
def test_a_damaged_one_is_not_finished(tmp_path, damage):
    finished = kept(tmp_path, "one")
    path = tmp_path / RUN[:16] / "one.finished"
    path.write_bytes(damage(path.read_bytes()))
    assert finished.restore("one") is None
    finished.keep("one", FILES)
    assert finished.restore("one") == FILES


def test_one_run_in_two_places_at_once_disturbs_neither(tmp_path, monkeypatch):
    monkeypatch.setenv("MASKVOS_CHECKPOINTS", str(tmp_path))
    one, other = kept("unused", "a", "b"), kept("unused", "a", "b")
    one.clear()
    assert other.restore("a") is None
    other.keep("c", FILES)
    assert other.restore("c") == FILES
    other.clear()
    other.clear()
    assert not list(tmp_path.iterdir())


def test_clear_leaves_what_the_same_run_elsewhere_is_writing(tmp_path):
    finished = kept(tmp_path, "one")
    writing = tmp_path / RUN[:16] / ".two.finished.tmp-abc.finished"
    writing.write_bytes(b"half")
    finished.clear()
    assert items(tmp_path) == [writing.name]


def test_a_full_disk_is_a_users_error_and_keeps_what_there_is(tmp_path):
    finished = kept(tmp_path, "one")
    message = message_of(lambda: finished.keep("two", {"a": bytes(10**6)}))
    assert "cannot write" in message and "Free space" in message
    assert items(tmp_path) == ["one.finished"]


def test_without_a_folder_nothing_is_kept(tmp_path):
    finished = kept(None, "one")
    assert finished.folder is None and finished.restore("one") is None
    finished.clear()
