"""Whole runs that are killed, interrupted or short of memory, and what a second run makes of them."""

import random
import signal
from contextlib import nullcontext

import numpy as np
import pytest

from maskvos.errors import UserError
from maskvos.inference import segment_run
from maskvos.inference.partial_run import partial_run
from maskvos.inference.span import Span
from maskvos.storage.masks import write_mask
from tests.inference.segmenting import contents, make_clip, run, run_process
from tests.inference.stubs import CPU

# The process kills itself at one place of a chosen frame: before its mask is written, or within the state's file.
KILL = """
import os, signal
from maskvos.inference import tracking_loop, tracker_state, segment_run
tracking_loop.SECONDS_BETWEEN_STATES, tracking_loop.SHARE = 0.0, 1e9
def kill_at(module, name, count):
    function, calls = getattr(module, name), []
    def counted(*given):
        calls.append(1)
        if len(calls) == count:
            os.kill(os.getpid(), signal.{signal})
        return function(*given)
    setattr(module, name, counted)
kill_at({module}, "{function}", {count})
"""
WRITE, STATE = ("tracking_loop", "write_mask"), ("tracker_state", "_name")
DRAW = ("segment_run.overlay_video", "overlay")


def options(folder, output, *more):
    masks = ("--mask", folder / "first.png", "--mask", f"4={folder / 'late.png'}")
    fixed = ("--weights", folder / "model", "--output", folder / output, "--device", "cpu", "--json", "--references", 3)
    return ("segment", folder / "frames", *masks, *fixed, *more)


@pytest.fixture
def long_clip(tmp_path):
    """Twelve frames with a second object in the fifth."""
    make_clip(tmp_path, frames=12)
    late = np.zeros((64, 96), np.uint8)
    late[48:60, 8:30] = 2
    write_mask(tmp_path / "late.png", late)
    return tmp_path


@pytest.mark.slow
def test_killed_anywhere_it_goes_on_and_ends_with_the_same_bytes(long_clip):
    """SIGKILL at random frames, in the middle of a state, and while the overlay is drawn."""
    whole = run_process("", *options(long_clip, "whole"))
    assert whole.returncode == 0, whole.stderr
    order = random.Random(0)
    places = [(*WRITE, order.randint(2, 5)), (*STATE, 6), (*WRITE, order.randint(2, 4)), (*DRAW, order.randint(2, 12))]
    done = 0
    for number, (module, function, count) in enumerate(places):
        prelude = KILL.format(signal="SIGKILL", module=module, function=function, count=count)
        killed = run_process(prelude, *options(long_clip, "killed"))
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert not (long_clip / "killed").exists()
        assert ("going on after" in killed.stderr) == (number > 0)
        now = len(list((long_clip / "killed.partial/masks").glob("*.png")))
        assert now > done or number == 3
        done = now
    last = run_process("", *options(long_clip, "killed"))
    assert last.returncode == 0, last.stderr
    assert "going on after 12 frames" in last.stderr
    assert contents(long_clip / "killed") == contents(long_clip / "whole")
    assert not (long_clip / "killed.partial").exists()


def test_a_half_drawn_overlay_is_not_taken_along(long_clip):
    """Killed while it draws, then run without the overlay: only the masks are left to be published."""
    prelude = KILL.format(signal="SIGKILL", module=DRAW[0], function=DRAW[1], count=6)
    assert run_process(prelude, *options(long_clip, "out")).returncode == -signal.SIGKILL
    assert (long_clip / "out.partial/masks/overlay.mp4").exists()
    second = run_process("", *options(long_clip, "out", "--no-overlay"))
    assert second.returncode == 0, second.stderr
    assert {path.suffix for path in (long_clip / "out").iterdir()} == {".png", ".json"}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_interrupted_it_keeps_every_frame_that_was_done(long_clip, name, status):
    prelude = KILL.format(signal=name, module=WRITE[0], function=WRITE[1], count=4)
    prelude = prelude.replace("SECONDS_BETWEEN_STATES, tracking_loop.SHARE = 0.0, 1e9", "SHARE = 1.0")
    ended = run_process(prelude, *options(long_clip, "out"))
    assert ended.returncode == status, ended.stderr
    assert "out.partial keeps what is done; the same command goes on from there" in ended.stderr
    assert len(list((long_clip / "out.partial/masks").iterdir())) == 4
    second = run_process("", *options(long_clip, "out"))
    assert "going on after 4 frames" in second.stderr
    assert second.returncode == 0


def plain(folder, *more):
    fixed = ("--mask", folder / "first.png", "--weights", folder / "model", "--output", folder / "out", "--no-overlay")
    return (folder / "frames", *fixed, *more)


@pytest.mark.parametrize("where", ["step", "load"])
def test_out_of_memory_is_one_error_that_names_what_to_lower(clip, monkeypatch, where):
    def fail(*_):
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: can't allocate memory")

    if where == "step":
        monkeypatch.setattr(segment_run.Tracker, "step", fail)
    else:
        monkeypatch.setattr(segment_run, "load_method", fail)
    with pytest.raises(UserError, match=r"out of memory.*--max-size.*--references"):
        run(*plain(clip))
    assert not (clip / "out").exists()
    assert not (clip / "out.partial").exists()


def test_what_will_not_fit_is_refused_before_the_first_frame(clip, monkeypatch):
    monkeypatch.setattr("maskvos.inference.memory_limits.free_bytes", lambda _: 1000)
    # Not for real: oneDNN keeps a convolution that it could not set up, and later tests of this process fail with it.
    monkeypatch.setattr(segment_run, "bounded_memory", lambda _: nullcontext())
    monkeypatch.setattr(segment_run.Tracker, "step", lambda *_: pytest.fail("started"))
    with pytest.raises(UserError, match="are free on this machine"):
        run(*plain(clip))
    assert not (clip / "out.partial").exists()


def test_no_gpu(clip, monkeypatch):
    monkeypatch.setattr(segment_run.torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match="--device cuda: torch sees no GPU"):
        run(*plain(clip, "--device", "cuda"))


def test_a_mask_behind_the_last_frame_that_decodes_is_told(clip, monkeypatch, caplog):
    images = Span.images
    monkeypatch.setattr(Span, "images", lambda self, skip=0: (item for item in images(self, skip) if item[0] < "00002"))
    late = clip / "late.png"
    late.write_bytes((clip / "first.png").read_bytes())
    arguments = ("--mask", f"2={late}", "--weights", clip / "encoder", "--output", clip / "out", "--no-overlay")
    run(clip / "frames", *arguments)
    assert "the mask of frame 00002 was not used" in caplog.text
    assert len(list((clip / "out").iterdir())) == 2


def test_the_identity_names_everything_that_masks_depend_on(clip, monkeypatch):
    seen = []
    monkeypatch.setattr(
        segment_run, "partial_run", lambda out, parts: seen.append(dict(parts)) or partial_run(out, parts)
    )
    write_mask(clip / "late.png", np.eye(96, dtype=np.uint8)[:64] * 3)
    base = plain(clip)
    for arguments in (
        base,
        (*base, "--json"),
        (*base, "--references", 4),
        (*base, "--method", "propagation"),
        (*base, "--end", 1),
        (*base, "--mask", f"1={clip / 'late.png'}"),
        tuple(clip / "encoder" if part == clip / "model" else part for part in base),
    ):
        run(*arguments)
    changed = [[name for name in seen[0] if parts[name] != seen[0][name]] for parts in seen]
    assert changed == [
        [],
        [],
        ["group of settings"],
        ["method"],
        ["span of frames"],
        ["set of masks"],
        ["file of weights", "method"],
    ]
    assert CPU.type in seen[0]["method"]
