"""Checkpoints: the last two, tied to their run, damaged ones skipped."""

import pytest
import torch

from maskvos.errors import UserError
from maskvos.storage.working_state import fingerprint
from maskvos.training.checkpoints import Checkpoints
from tests.storage.full_disk import message_of


def saved(folder, *steps, belongs_to="run"):
    checkpoints = Checkpoints(folder, belongs_to)
    for step in steps:
        checkpoints.save(step, {"module": {"weight": torch.full((3,), float(step))}, "rows": [{"loss": 0.1}]})
    return checkpoints


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_nothing_saved_gives_nothing(tmp_path):
    assert Checkpoints(tmp_path / "absent", "run").latest() is None


def test_the_last_step_is_known_without_reading_files(tmp_path):
    assert Checkpoints(tmp_path / "absent", "run").last_step() is None
    assert saved(tmp_path, 2, 10).last_step() == 10


def test_latest_gives_back_what_was_saved(tmp_path):
    state = saved(tmp_path, 2, 10).latest()
    assert state["step"] == 10 and state["rows"] == [{"loss": 0.1}]
    assert torch.equal(state["module"]["weight"], torch.full((3,), 10.0))


def test_only_the_last_two_stay(tmp_path):
    saved(tmp_path, 1, 2, 30, 100)
    assert names(tmp_path) == ["step-00000030.pt", "step-00000100.pt"]


@pytest.mark.parametrize(
    "damage", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"x" * len(data)]
)
def test_a_damaged_one_falls_back_to_the_one_before(tmp_path, damage):
    checkpoints = saved(tmp_path, 1, 2)
    path = tmp_path / "step-00000002.pt"
    path.write_bytes(damage(path.read_bytes()))
    assert checkpoints.latest()["step"] == 1
    path = tmp_path / "step-00000001.pt"
    path.write_bytes(damage(path.read_bytes()))
    assert checkpoints.latest() is None


def test_a_full_disk_is_a_users_error_and_loses_nothing(tmp_path):
    saved(tmp_path, 1, 2)
    message = message_of(lambda: Checkpoints(tmp_path, "run").save(3, {"module": {"weight": torch.zeros(10**6)}}))
    assert "cannot write" in message and "step-00000003.pt" in message and "Free space" in message
    assert names(tmp_path) == ["step-00000001.pt", "step-00000002.pt"]


def test_what_a_killed_write_left_is_removed(tmp_path):
    checkpoints = saved(tmp_path, 1)
    (tmp_path / ".step-00000002.pt.tmp-abc.pt").write_bytes(b"half")
    assert checkpoints.latest()["step"] == 1
    assert names(tmp_path) == ["step-00000001.pt"]


def test_those_of_another_run_are_not_continued_and_stay_until_this_one_saves(tmp_path):
    saved(tmp_path, 1, 20, belongs_to="other")
    checkpoints = Checkpoints(tmp_path, "run")
    assert checkpoints.latest() is None and checkpoints.last_step() is None
    assert Checkpoints(tmp_path, "other").latest()["step"] == 20  # a parameter that was changed by mistake, and back
    checkpoints.save(1, {})
    assert names(tmp_path) == ["step-00000001.pt"] and checkpoints.last_step() == 1
    assert Checkpoints(tmp_path, "run").latest()["step"] == 1


def test_this_runs_own_is_found_behind_anothers(tmp_path):
    """As where a kill came between saving and removing the other's."""
    saved(tmp_path, 30, belongs_to="other")
    saved(tmp_path, 2)
    assert Checkpoints(tmp_path, "run").latest()["step"] == 2


def test_a_changed_tensor_is_damage(tmp_path):
    """torch by itself compares no checksum and goes on with other weights."""
    checkpoints = Checkpoints(tmp_path, "run")
    for step in (1, 2):
        checkpoints.save(step, {"weight": torch.full((5000,), 7.0)})
    path = tmp_path / "step-00000002.pt"
    data = bytearray(path.read_bytes())
    place = data.index(b"\x00\x00\xe0\x40" * 100) + 200
    data[place : place + 4] = bytes(4)
    path.write_bytes(data)
    assert (torch.load(path, weights_only=True)["weight"] != 7).sum() == 1
    assert checkpoints.latest()["step"] == 1


def test_damaged_ones_do_not_count_as_the_last_two(tmp_path):
    checkpoints = saved(tmp_path, 800, 1000)
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:-100])
    assert checkpoints.latest() is None
    checkpoints.save(200, {})
    assert names(tmp_path) == ["step-00000200.pt"] and checkpoints.last_step() == 200


def test_no_code_in_a_checkpoint_is_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return (print, ("ran",))

    torch.save({"belongs_to": "run", "step": 1, "evil": Evil()}, tmp_path / "step-00000001.pt")
    with pytest.raises(UserError, match=r"step-00000001\.pt: not damaged, but cannot be loaded"):
        Checkpoints(tmp_path, "run").latest()
    assert names(tmp_path) == ["step-00000001.pt"]


def test_for_want_of_memory_nothing_is_lost(tmp_path, monkeypatch):
    checkpoints = saved(tmp_path, 800, 900)

    def no_memory(*_, **__):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(torch, "load", no_memory)
    with pytest.raises(UserError, match="can't allocate memory"):
        checkpoints.latest()
    assert names(tmp_path) == ["step-00000800.pt", "step-00000900.pt"]


def test_a_changed_byte_in_the_files_end_is_damage(tmp_path):
    """There lies where the archive's list begins: anywhere, then, also before the file's start."""
    checkpoints = saved(tmp_path, 1, 2)
    data = (tmp_path / "step-00000002.pt").read_bytes()
    for place in range(len(data) - 100, len(data)):
        (tmp_path / "step-00000002.pt").write_bytes(data[:place] + bytes([data[place] ^ 0x80]) + data[place + 1 :])
        assert checkpoints.latest()["step"] in (1, 2)


def test_clear_removes_checkpoints_alone(tmp_path):
    (tmp_path / "note.txt").write_text("mine")
    saved(tmp_path, 1, 2).clear()
    assert names(tmp_path) == ["note.txt"]


def test_runs_with_a_common_folder_go_on_from_any_copy_of_the_repository(tmp_path, monkeypatch):
    """As experiments of `dvc queue` do: each try has a copy of its own, the run is the same."""
    monkeypatch.setenv("MASKVOS_CHECKPOINTS", str(tmp_path / "common"))
    one, other = fingerprint(stage="a", seed=0), fingerprint(stage="a", seed=1)
    saved(tmp_path / "copy1/checkpoints/a", 1, 2, 3, belongs_to=one)
    saved(tmp_path / "copy2/checkpoints/a", 7, belongs_to=other)
    again = Checkpoints(tmp_path / "copy3/checkpoints/a", one)
    assert again.latest()["step"] == 3
    assert not list(tmp_path.glob("copy*"))
    again.clear()
    assert names(tmp_path / "common") == [other[:16]]  # the other run's stay, of this one nothing does
    assert Checkpoints(tmp_path / "copy2/checkpoints/a", other).latest()["step"] == 7


def test_one_run_in_two_places_at_once_disturbs_neither(tmp_path, monkeypatch):
    monkeypatch.setenv("MASKVOS_CHECKPOINTS", str(tmp_path))
    one, other = (saved("unused", belongs_to="x" * 64) for _ in range(2))
    for step in range(1, 5):
        for run in (one, other):
            run.save(step, {"rows": []})
    one.clear()
    other.save(5, {"rows": []})
    other.clear()
    other.clear()
    assert names(tmp_path) == []
