"""The output of ``maskvos segment`` replaces nothing but masks, unless that is asked for; never an input."""

import numpy as np
import pytest
from PIL import Image

from maskvos.errors import UserError
from maskvos.inference.objects_json import write_objects
from maskvos.inference.output import check_output
from maskvos.inference.overlay_video import write_overlay
from maskvos.storage.masks import write_mask
from tests.inference.stubs import moving_square


@pytest.fixture
def work(tmp_path, monkeypatch):
    """videos/clip.mp4, videos/frames/ and a first mask and weights elsewhere; the working folder is theirs."""
    monkeypatch.chdir(tmp_path)
    for folder in ("videos/frames", "marks", "weights", "empty"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "videos/clip.mp4").write_bytes(b"video")
    Image.new("RGB", (4, 4)).save(tmp_path / "videos/frames/00000.png")
    write_mask(tmp_path / "marks/first.png", np.ones((4, 4), np.uint8))
    (tmp_path / "weights/model.safetensors").write_bytes(b"weights")
    return tmp_path


def check(work, output, source="videos/frames", overwrite=False):
    inputs = (work / "marks/first.png", work / "weights")
    check_output(work / output, work / source, inputs, overwrite)


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    ("source", "output", "words"),
    [
        ("videos/frames", "videos/frames", "would delete"),
        ("videos/frames", "videos", "would delete"),
        ("videos/frames", "videos/frames/masks", "lies within the frames"),
        ("videos/frames", "videos/../videos/frames", "would delete"),
        ("videos/frames", "link", "would delete"),
        ("videos/clip.mp4", "videos", "would delete"),
        ("videos/clip.mp4", ".", "would delete"),
        ("videos/frames", "marks", "would delete"),
        ("videos/frames", "weights", "would delete"),
        ("videos/frames", "videos/clip.mp4", "is a file"),
    ],
)
def test_inputs_are_never_replaced(work, source, output, words, overwrite):
    (work / "link").symlink_to(work / "videos/frames")
    with pytest.raises(UserError, match=words):
        check(work, output, source, overwrite)


@pytest.mark.parametrize("output", ["new", "empty", "marks/new", "new/deep"])
def test_new_and_empty_folders_may_be_used(work, output):
    check(work, output)
    check(work, output, "videos/clip.mp4")


def test_beside_the_video_file_is_fine(work):
    check(work, "videos/masks", "videos/clip.mp4")


def test_masks_of_an_earlier_run_may_be_replaced(work):
    for number in range(2):
        write_mask(work / f"out/{number:05d}.png", np.eye(4, dtype=np.uint8))
    check(work, "out")


def test_overlay_and_json_of_an_earlier_run_may_be_replaced(work):
    frames, masks = moving_square(2)
    for (name, _), mask in zip(frames, masks, strict=True):
        write_mask(work / f"out/{name}.png", mask)
    list(write_overlay(work / "out/overlay.mp4", frames, work / "out", 10.0, (64, 96)))
    write_objects(work / "out/objects.json", {}, ["00000"], work / "out", [1])
    check(work, "out")


def grey(path):
    Image.new("L", (4, 4)).save(path)


def other_palette(path):
    Image.new("P", (4, 4)).save(path)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("notes.txt", lambda path: path.write_text("dear")),
        ("00001.png", grey),
        ("00001.png", other_palette),
        ("00001.png", lambda path: path.write_bytes(b"no picture")),
        ("folder", lambda path: path.mkdir()),
        ("overlay.mp4", lambda path: path.write_bytes(b"a film")),
        ("objects.json", lambda path: path.write_text("{}")),
        (".hidden", lambda path: path.write_text("dear")),
    ],
)
def test_anything_else_is_named_and_needs_the_users_word(work, name, write):
    write_mask(work / "out/00000.png", np.eye(4, dtype=np.uint8))
    write(work / "out" / name)
    with pytest.raises(UserError, match=rf"holds {name}.*--overwrite"):
        check(work, "out")
    check(work, "out", overwrite=True)
