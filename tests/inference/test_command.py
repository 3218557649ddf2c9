"""``maskvos segment`` from the command line's arguments to the masks."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskvos.cli import main
from maskvos.errors import UserError
from maskvos.inference import segment_run
from maskvos.params import read_all_params
from maskvos.storage.masks import read_mask, write_mask
from tests.inference.segmenting import contents, run

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("weights", ["encoder", "model"])
@pytest.mark.parametrize("extra", [(), ("--max-size", 64, "--rounds", 0, "--references", 1)])
def test_masks_of_every_frame(clip, weights, extra):
    run(
        clip / "frames",
        *("--mask", clip / "first.png", "--weights", clip / weights, "--output", clip / "out"),
        *("--device", "cpu", *extra),
    )
    masks = [read_mask(path) for path in sorted((clip / "out").glob("*.png"))]
    assert np.array_equal(masks[0], read_mask(clip / "first.png"))
    assert [mask.shape for mask in masks] == [(64, 96)] * 3
    assert set(np.unique(masks)) <= {0, 7}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": "nowhere"}, "no such file or folder"),
        ({"--mask": "empty.png"}, "no object"),
        ({"--mask": "small.png"}, "8x8"),
        ({"--weights": "nowhere"}, "no such weights"),
        ({"--rounds": "9"}, "--rounds"),
        ({"--max-size": "40"}, "--max-size"),
    ],
)
def test_wrong_input_is_named(clip, change, message):
    write_mask(clip / "empty.png", np.zeros((64, 96), np.uint8))
    write_mask(clip / "small.png", np.ones((8, 8), np.uint8))
    values = {"source": "frames", "--mask": "first.png", "--weights": "model", "--output": "out"} | change
    paths = {"source", "--mask", "--weights", "--output"}
    options = [(name, clip / value if name in paths else value) for name, value in values.items()]
    arguments = [part for name, value in options for part in ((value,) if name == "source" else (name, value))]
    with pytest.raises(UserError, match=message):
        run(*arguments)
    assert not (clip / "out").exists()


def test_the_frames_survive_an_output_that_names_their_folder(clip, capsys):
    before = {path: path.read_bytes() for path in sorted(clip.rglob("*")) if path.is_file()}
    options = ("--mask", clip / "first.png", "--weights", clip / "model", "--overwrite")
    for output in (clip / "frames", clip):
        with pytest.raises(SystemExit) as ended:
            main(["segment", *map(str, (clip / "frames", *options, "--output", output))])
        assert ended.value.code == 2
        assert "would delete" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in sorted(clip.rglob("*")) if path.is_file()} == before


def test_other_files_in_the_output_folder_need_overwrite(clip):
    run_with = (clip / "frames", "--mask", clip / "first.png", "--weights", clip / "encoder", "--output", clip / "out")
    (clip / "out").mkdir()
    (clip / "out" / "notes.txt").write_text("dear")
    with pytest.raises(UserError, match=r"notes\.txt"):
        run(*run_with)
    assert (clip / "out" / "notes.txt").read_text() == "dear"
    run(*run_with, "--overwrite")
    run(*run_with, "--json")
    before = contents(clip / "out")
    run(*run_with, "--json")  # over masks, overlay and JSON of the run before
    assert contents(clip / "out") == before
    assert list(before) == ["00000.png", "00001.png", "00002.png", "objects.json", "overlay.mp4"]


def test_the_settings_of_a_parameter_file_are_used_and_said(clip, capsys, monkeypatch):
    used = []
    make = segment_run.Tracker
    monkeypatch.setattr(segment_run, "Tracker", lambda *given: used.append(given[3]) or make(*given))
    options = ("--mask", clip / "first.png", "--weights", clip / "model", "--output", clip / "out")
    run(clip / "frames", *options, "--params", ROOT / "params.yaml", "--rounds", 0)
    expected = read_all_params(ROOT / "params.yaml").inference
    assert used == [expected.at(None).model_copy(update={"refinement_rounds": 0})]
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("settings: ")]
    assert len(lines) == 1
    assert f"0 refinement rounds, kept mask {expected.kept_mask}" in lines[0]


def test_the_json_describes_the_masks_and_what_made_them(clip):
    options = ("--weights", clip / "model", "--output", clip / "out", "--json", "--method", "propagation", "--start", 1)
    run(clip / "frames", "--mask", f"2={clip / 'first.png'}", *options)
    found = json.loads((clip / "out" / "objects.json").read_text())
    frames = found.pop("frames")
    assert [frame["frame"] for frame in frames] == ["00001", "00002"]
    assert frames[0]["objects"] == [{"id": 7, "area": 0, "box": None}]
    assert frames[1]["objects"] == [{"id": 7, "area": 24 * 24, "box": [16, 16, 24, 24]}]
    assert (found["frame_count"], found["height"], found["width"], found["rate"]) == (2, 64, 96, None)
    assert (found["method"], found["settings"]["top_k"], found["weights"]["kind"]) == ("propagation", 10, "model")
    assert found["objects"] == [{"id": 7, "frame": "00002", "file": str(clip / "first.png"), "pixels": 24 * 24}]


def test_a_video_file(clip):
    writer = cv2.VideoWriter(str(clip / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 12.5, (96, 64))
    for path in sorted((clip / "frames").iterdir()):
        writer.write(cv2.imread(str(path)))
    writer.release()
    run(clip / "clip.avi", "--mask", clip / "first.png", "--weights", clip / "encoder", "--output", clip / "out")
    assert [path.name for path in sorted((clip / "out").glob("*.png"))] == ["00000.png", "00001.png", "00002.png"]
    overlay = cv2.VideoCapture(str(clip / "out" / "overlay.mp4"))
    assert (overlay.get(cv2.CAP_PROP_FPS), overlay.get(cv2.CAP_PROP_FRAME_COUNT)) == (12.5, 3)


def test_objects_are_said_with_their_numbers(clip, capsys):
    options = ("--weights", clip / "encoder", "--output", clip / "out", "--no-overlay")
    run(clip / "frames", "--mask", clip / "first.png", *options)
    assert f"object 7: 576 pixels of frame 00000 ({clip / 'first.png'})" in capsys.readouterr().out
