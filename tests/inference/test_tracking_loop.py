"""The loop: masks, and the state that is kept when it ends early."""

import numpy as np
import pytest
from PIL import Image

from maskvos.errors import UserError
from maskvos.inference import tracking_loop
from maskvos.inference.methods import LabelPropagation
from maskvos.inference.partial_run import partial_run
from maskvos.inference.propagate import Tracker, propagate_labels
from maskvos.inference.span import open_span
from maskvos.inference.tracker_state import read_header
from maskvos.inference.tracking_loop import TrackingLoop
from maskvos.storage.masks import read_mask
from tests.inference.stubs import CPU, colours, moving_square, settings


@pytest.fixture
def folder(tmp_path):
    frames, _ = moving_square(6)
    (tmp_path / "frames").mkdir()
    for name, image in frames:
        Image.fromarray(image).save(tmp_path / "frames" / f"{name}.png")
    return tmp_path


@pytest.fixture
def run(folder):
    with partial_run(folder / "out", {}) as opened:
        yield opened


def make_loop(folder, run, stop=lambda: False):
    first = moving_square(1)[1][0]
    tracker = Tracker(LabelPropagation(colours), (64, 96), {"00000": first}, settings(), CPU)
    return TrackingLoop(tracker, open_span(folder / "frames"), run, stop)


def expected():
    frames, masks = moving_square(6)
    return [p.ids for p in propagate_labels(frames, {"00000": masks[0]}, colours, settings(), CPU)]


def check(run):
    masks = [read_mask(path) for path in sorted(run.masks.iterdir())]
    np.testing.assert_array_equal(masks, expected())


def test_every_frame(folder, run):
    loop = make_loop(folder, run)
    assert list(loop.frames()) == [f"{number:05d}" for number in range(6)]
    assert (loop.done, loop.finished) == (6, True)
    check(run)


def test_asked_to_stop_it_keeps_the_state_behind_a_frame(folder, run, caplog):
    first = make_loop(folder, run, stop=lambda: (run.masks / "00002.png").exists())
    assert list(first.frames()) == ["00000", "00001", "00002"]
    assert read_header(run.state)["done"] == 3
    with caplog.at_level("INFO", logger="maskvos"):
        second = make_loop(folder, run)
    assert "going on after 3 frames" in caplog.text
    assert list(second.frames()) == ["00003", "00004", "00005"]
    check(run)


def test_a_finished_video_is_not_tracked_again(folder, run, monkeypatch):
    list(make_loop(folder, run).frames())
    monkeypatch.setattr(Tracker, "step", lambda *_: pytest.fail("tracked"))
    loop = make_loop(folder, run)
    assert list(loop.frames()) == []
    assert (loop.done, loop.finished) == (6, True)


@pytest.mark.parametrize("damage", ["bytes", "size"])
def test_a_damaged_frame_can_be_mended(folder, run, damage):
    path = folder / "frames" / "00003.png"
    whole = path.read_bytes()
    if damage == "bytes":
        path.write_bytes(whole[:200])
    else:
        Image.new("RGB", (8, 8)).save(path)
    with pytest.raises(UserError, match="00003"):
        list(make_loop(folder, run).frames())
    assert read_header(run.state)["done"] == 3
    path.write_bytes(whole)
    assert list(make_loop(folder, run).frames()) == ["00003", "00004", "00005"]
    check(run)


def test_a_frame_that_was_done_and_has_changed(folder, run, caplog):
    list(make_loop(folder, run, stop=lambda: (run.masks / "00002.png").exists()).frames())
    Image.fromarray(moving_square(6)[0][1][1]).save(folder / "frames" / "00001.png", compress_level=1)
    with caplog.at_level("INFO", logger="maskvos"):
        loop = make_loop(folder, run)
    assert "frames that were done have changed" in caplog.text
    assert len(list(loop.frames())) == 6
    check(run)


def test_a_fault_in_the_first_frame_keeps_nothing(folder, run):
    (folder / "frames" / "00000.png").write_bytes(b"")
    with pytest.raises(UserError, match="00000"):
        list(make_loop(folder, run).frames())
    assert not run.state.exists()


def test_the_state_is_kept_now_and_then_and_takes_a_small_share_of_the_time(folder, run, monkeypatch):
    """A clock that a frame moves by 10 s and a save by 2 s: saves at 30 s, then every 2 / 0.025 = 80 s."""
    now, saves = [0.0], []
    monkeypatch.setattr(tracking_loop.time, "monotonic", lambda: now[0])

    def save(path, memory, header):
        if memory is not None:
            saves.append((now[0], header["done"]))
            now[0] += 2

    class Slow:
        method = geometry = None
        memory = object()

        def step(self, name, image):
            now[0] += 10
            return type("", (), {"ids": np.zeros((64, 96), np.uint8)})

    class Long:
        source = frames = ()
        path = folder

        def images(self, skip):
            return ((f"{number:05d}", None) for number in range(40))

    monkeypatch.setattr(tracking_loop, "save_state", save)
    list(TrackingLoop(Slow(), Long(), run, lambda: False).frames())
    assert saves == [(30, 3), (112, 11), (194, 19), (276, 27), (358, 35)]


def test_where_the_state_cannot_be_kept_the_masks_go_on(folder, run, monkeypatch, caplog):
    def full(*_):
        raise UserError("cannot write state: No space left on device.")

    save = tracking_loop.save_state
    monkeypatch.setattr(tracking_loop, "SECONDS_BETWEEN_STATES", 0.0)
    monkeypatch.setattr(tracking_loop, "save_state", lambda *given: full() if given[1] is not None else save(*given))
    assert len(list(make_loop(folder, run).frames())) == 6
    assert "cannot be resumed from here: cannot write state" in caplog.text
    check(run)
