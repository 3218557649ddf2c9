"""Unpacking once: recognised afterwards, nothing left on failure, the root found under wrappers."""

import os
import zipfile
from pathlib import Path

import pytest

from maskvos.datasets import unpacked as module
from maskvos.datasets.unpacked import MARK, find_root, is_unpacked, unpack
from maskvos.errors import UserError


def make(path: Path, names: list[str], content: bytes = b"x") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return path


def test_done_once_and_again_for_another_archive(tmp_path: Path) -> None:
    archive, folder = make(tmp_path / "a.zip", ["train/JPEGImages/s/0.jpg"]), tmp_path / "data" / "a"
    unpack(archive, folder, tmp_path / "a.json")
    assert is_unpacked(folder)
    frame = folder / "train/JPEGImages/s/0.jpg"
    frame.write_bytes(b"kept")
    unpack(archive, folder, tmp_path / "a.json")
    assert frame.read_bytes() == b"kept"
    other = make(tmp_path / "b.zip", ["train/JPEGImages/s/1.jpg"], b"longer")
    unpack(other, folder, tmp_path / "b.json")
    assert not frame.exists()
    archive.unlink()
    assert is_unpacked(folder)


def test_a_replaced_archive_of_the_same_size_is_noticed(tmp_path: Path) -> None:
    archive, folder, record = make(tmp_path / "a.zip", ["0.jpg"], b"1"), tmp_path / "data", tmp_path / "a.json"
    unpack(archive, folder, record)
    size = archive.stat().st_size
    make(archive, ["0.jpg"], b"2")
    os.utime(archive, ns=(0, 1))
    assert archive.stat().st_size == size
    with pytest.raises(UserError, match=r"sha256 is .*delete .*a\.json if you replaced the archive on purpose"):
        unpack(archive, folder, record)
    record.unlink()
    unpack(archive, folder, record)
    assert (folder / "0.jpg").read_bytes() == b"2"


def test_a_touched_archive_is_read_once_and_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive, folder, record = make(tmp_path / "a.zip", ["0.jpg"]), tmp_path / "data", tmp_path / "a.json"
    unpack(archive, folder, record)
    (folder / "0.jpg").write_bytes(b"kept")
    os.utime(archive, ns=(0, 1))
    unpack(archive, folder, record)
    assert (folder / "0.jpg").read_bytes() == b"kept"
    monkeypatch.setattr(module, "verify", lambda *_: pytest.fail("read again"))
    unpack(archive, folder, record)


def test_nothing_is_left_on_failure(tmp_path: Path) -> None:
    archive = make(tmp_path / "a.zip", ["good.jpg", "../evil.jpg"])
    with pytest.raises(UserError):
        unpack(archive, tmp_path / "data" / "a", tmp_path / "a.json")
    assert list((tmp_path / "data").iterdir()) == []
    assert not is_unpacked(tmp_path / "data" / "a")


def test_a_good_archive_may_follow_a_damaged_one(tmp_path: Path) -> None:
    archive = make(tmp_path / "a.zip", ["0.jpg"], b"content")
    good = archive.read_bytes()
    archive.write_bytes(good.replace(b"content", b"damaged", 1))
    with pytest.raises(UserError, match="damaged"):
        unpack(archive, tmp_path / "a", tmp_path / "a.json")
    archive.write_bytes(good)
    unpack(archive, tmp_path / "a", tmp_path / "a.json")
    assert (tmp_path / "a" / "0.jpg").read_bytes() == b"content"


@pytest.mark.parametrize("wrappers", ["", "DAVIS", "outer/train"])
def test_root_under_wrappers(tmp_path: Path, wrappers: str) -> None:
    root = tmp_path / wrappers
    (root / "JPEGImages" / "480p").mkdir(parents=True)
    (tmp_path / MARK).write_text("{}")
    assert find_root(tmp_path, "davis") == root


def test_root_of_clips_and_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "own" / "dog").mkdir(parents=True)
    assert find_root(tmp_path, "clips") == tmp_path
    (tmp_path / "own" / "dog" / "1.jpg").touch()
    assert find_root(tmp_path, "clips") == tmp_path / "own"
    assert find_root(tmp_path, "davis") == tmp_path
    assert find_root(tmp_path / "absent", "davis") == tmp_path / "absent"


def test_a_folder_of_somebody_elses_is_not_replaced(tmp_path: Path) -> None:
    archive, folder = make(tmp_path / "a.zip", ["0.jpg"]), tmp_path / "data" / "a"
    (folder / "mine").mkdir(parents=True)
    (folder / "mine" / "notes.txt").write_text("years of work")
    with pytest.raises(
        UserError, match=r"data/a: was not unpacked by maskvos and would be replaced\. Name it .* 'path'"
    ):
        unpack(archive, folder, tmp_path / "a.json")
    assert (folder / "mine" / "notes.txt").read_text() == "years of work"
    (folder / "mine" / "notes.txt").rename(tmp_path / "notes.txt")
    (folder / "mine").rmdir()
    folder.rmdir()
    (tmp_path / "notes.txt").rename(folder)
    with pytest.raises(UserError, match="data/a: was not unpacked by maskvos"):
        unpack(archive, folder, tmp_path / "a.json")
    folder.unlink()
    folder.mkdir()
    (folder / ".DS_Store").touch()
    unpack(archive, folder, tmp_path / "a.json")
    assert is_unpacked(folder)
