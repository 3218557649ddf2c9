"""``maskvos segment`` from the command line's arguments to the masks."""

import argparse
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from maskvos.cli import main
from maskvos.errors import UserError
from maskvos.inference import command
from maskvos.inference.command import add_parser
from maskvos.networks.files import save_network, untrained_encoder
from maskvos.networks.model import MaskVOS
from maskvos.params import read_all_params
from maskvos.storage.masks import read_mask, write_mask
from tests.inference.stubs import moving_square
from tests.inference.test_features import NETWORKS

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments):
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    chosen = parser.parse_args(["segment", *map(str, arguments)])
    return chosen.func(chosen)


@pytest.fixture
def clip(tmp_path, monkeypatch):
    """A folder of three frames, a first mask, weights of both kinds. The test process keeps its number of threads."""
    monkeypatch.setattr(command, "set_up_device", lambda _: torch.device("cpu"))
    frames, masks = moving_square(3)
    (tmp_path / "frames").mkdir()
    for name, image in frames:
        Image.fromarray(image).save(tmp_path / "frames" / f"{name}.png")
    write_mask(tmp_path / "first.png", masks[0] * 7)
    torch.manual_seed(0)
    save_network(tmp_path / "encoder", untrained_encoder(NETWORKS, 3), "encoder", NETWORKS)
    save_network(tmp_path / "model", MaskVOS(NETWORKS), "model", NETWORKS)
    return tmp_path


@pytest.mark.parametrize("weights", ["encoder", "model"])
@pytest.mark.parametrize("extra", [(), ("--max-size", 64, "--rounds", 0, "--references", 1)])
def test_masks_of_every_frame(clip, weights, extra):
    run(
        clip / "frames",
        *("--mask", clip / "first.png", "--weights", clip / weights, "--output", clip / "out"),
        *("--device", "cpu", *extra),
    )
    masks = [read_mask(path) for path in sorted((clip / "out").iterdir())]
    assert np.array_equal(masks[0], read_mask(clip / "first.png"))
    assert [mask.shape for mask in masks] == [(64, 96)] * 3
    assert set(np.unique(masks)) <= {0, 7}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": "nowhere"}, "neither a video file"),
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
    run(*run_with)  # over the masks of the run before
    assert len(list((clip / "out").iterdir())) == 3


def test_the_settings_of_a_parameter_file_are_used_and_said(clip, capsys, monkeypatch):
    used = []
    track = command.segment_sequence
    monkeypatch.setattr(command, "segment_sequence", lambda *given: used.append(given[3]) or track(*given))
    options = ("--mask", clip / "first.png", "--weights", clip / "model", "--output", clip / "out")
    run(clip / "frames", *options, "--params", ROOT / "params.yaml", "--rounds", 0)
    expected = read_all_params(ROOT / "params.yaml").inference
    assert used == [expected.at(None).model_copy(update={"refinement_rounds": 0})]
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("settings: ")]
    assert len(lines) == 1
    assert f"0 refinement rounds, kept mask {expected.kept_mask}" in lines[0]
