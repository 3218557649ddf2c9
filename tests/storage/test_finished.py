"""Finished items: whole or absent, of this run alone."""

from functools import partial

from maskvos.storage.finished import Finished, copy_files
from tests.storage.full_disk import message_of

RUN, OTHER = "0123456789abcdef" * 4, "f" * 64


def made(folder, name, content=b"mask"):
    (folder / name).mkdir(parents=True)
    (folder / name / "00000.png").write_bytes(content)
    return folder / name


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_was_kept_comes_back(tmp_path):
    Finished(tmp_path / "kept", RUN).keep("one", partial(copy_files, made(tmp_path, "one")))
    again = Finished(tmp_path / "kept", RUN)
    assert again.restore("one", partial(copy_files, target=tmp_path / "out/one"))
    assert files(tmp_path / "out") == {"one/00000.png": b"mask"}
    assert again.restore("two", partial(copy_files, target=tmp_path / "out/two")) is None
    assert not (tmp_path / "out/two").exists()


def test_of_another_run_it_does_not_and_goes(tmp_path):
    Finished(tmp_path / "kept", OTHER).keep("one", partial(copy_files, made(tmp_path, "one")))
    (tmp_path / "kept/mine").mkdir()
    assert Finished(tmp_path / "kept", RUN).restore("one", partial(copy_files, target=tmp_path / "out/one")) is None
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["mine"]


def test_in_a_common_folder_that_of_others_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("MASKVOS_CHECKPOINTS", str(tmp_path / "common"))
    Finished(tmp_path / "a", OTHER).keep("one", partial(copy_files, made(tmp_path, "one")))
    finished = Finished(tmp_path / "b", RUN)
    assert finished.restore("one", partial(copy_files, target=tmp_path / "out/one")) is None
    finished.keep("one", partial(copy_files, tmp_path / "one"))
    finished.clear()
    assert Finished(tmp_path / "c", OTHER).restore("one", partial(copy_files, target=tmp_path / "out/one"))


def test_a_killed_copy_is_no_item(tmp_path):
    Finished(tmp_path / "kept", RUN).keep("one", partial(copy_files, made(tmp_path, "one")))
    half = made(tmp_path / "kept" / RUN[:16], ".two.tmp-abc")
    assert Finished(tmp_path / "kept", RUN).restore("two", partial(copy_files, target=tmp_path / "out/two")) is None
    assert not half.exists()


def test_cleared_by_the_same_run_elsewhere(tmp_path, monkeypatch):
    finished = Finished(tmp_path / "kept", RUN)
    finished.keep("one", partial(copy_files, made(tmp_path, "one")))

    def vanish(source, target):
        raise FileNotFoundError(source)

    monkeypatch.setattr("shutil.copyfile", vanish)
    assert finished.restore("one", partial(copy_files, target=tmp_path / "out/one")) is None
    assert not (tmp_path / "out/one").exists()


def test_a_full_disk_is_a_users_error_and_keeps_what_there_is(tmp_path):
    finished = Finished(tmp_path / "kept", RUN)
    finished.keep("one", partial(copy_files, made(tmp_path, "one")))
    made(tmp_path, "two", bytes(10**6))
    message = message_of(lambda: finished.keep("two", partial(copy_files, tmp_path / "two")))
    assert "cannot write" in message and "Free space" in message
    assert files(tmp_path / "kept") == {f"{RUN[:16]}/one/00000.png": b"mask"}


def test_clear_removes_all_of_this_run(tmp_path):
    finished = Finished(tmp_path / "kept", RUN)
    finished.keep("one", partial(copy_files, made(tmp_path, "one")))
    finished.clear()
    finished.clear()
    assert not files(tmp_path / "kept")


def test_without_a_folder_nothing_is_kept(tmp_path):
    finished = Finished(None, RUN)
    finished.keep("one", partial(copy_files, made(tmp_path, "one")))
    assert finished.restore("one", partial(copy_files, target=tmp_path / "out/one")) is None
    finished.clear()
