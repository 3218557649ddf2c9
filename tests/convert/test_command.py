"""``maskvos convert`` from the checkpoint to masks: the same harness for every method."""

import hashlib

import numpy as np
import pytest
import torch
from PIL import Image

from maskvos.cli import main
from maskvos.inference import segment_run
from maskvos.storage.descriptions import FILE
from maskvos.storage.masks import read_mask, write_mask
from maskvos.storage.weights import load_weights
from tests.convert import published
from tests.inference.stubs import moving_square


def run(*arguments):
    with pytest.raises(SystemExit) as ended:
        main([*map(str, arguments)])
    return ended.value.code


def test_a_checkpoint_becomes_a_described_file(tmp_path, capsys):
    path = tmp_path / "crw.pth"
    torch.save(published.crw(published.resnet("resnet18")), path)
    assert run("convert", path, "--from", "crw", "--output", tmp_path / "crw") == 0
    shown = capsys.readouterr().out
    assert "left out: 2 selfsim_fc.*" in shown and "licence: MIT" in shown
    _, description = load_weights(tmp_path / "crw" / FILE)
    assert description["kind"] == "features" and description["training"] == {
        "data": "Kinetics-400, videos without labels"
    }
    assert description["licence"].startswith("MIT")
    source = description["source"]
    assert (source["checkpoint"], source["url"]) == ("crw.pth", "https://github.com/ajabri/videowalk")
    assert source["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert str(tmp_path) not in str(description)
    written = (tmp_path / "crw" / FILE).read_bytes()
    assert run("convert", path, "--from", "crw", "--output", tmp_path / "crw") == 2  # never over other weights
    assert run("convert", path, "--from", "crw", "--output", tmp_path / "again.safetensors") == 0
    assert (tmp_path / "again.safetensors").read_bytes() == written == (tmp_path / "crw" / FILE).read_bytes()


def test_a_failure_leaves_nothing(tmp_path, capsys):
    torch.save({"model": {"x": torch.zeros(1)}}, tmp_path / "x.pth")
    assert run("convert", tmp_path / "x.pth", "--from", "dul", "--output", tmp_path / "dul") == 2
    assert capsys.readouterr().err.startswith("maskvos: error: ")
    assert [path.name for path in tmp_path.iterdir()] == ["x.pth"]


@pytest.mark.parametrize("patch", [8, 16])
def test_a_converted_transformer_tracks_a_square(tmp_path, monkeypatch, patch):
    """Random weights tell colours apart, which is all that this video needs; at both strides."""
    monkeypatch.setattr(segment_run, "set_up_device", lambda _: torch.device("cpu"))
    frames, masks = moving_square(4, step=16)
    (tmp_path / "frames").mkdir()
    for name, image in frames:
        Image.fromarray(image).save(tmp_path / "frames" / f"{name}.png")
    write_mask(tmp_path / "first.png", masks[0] * 7)
    torch.save(published.filled(published.vit_shapes(64, 1, patch, 4)), tmp_path / "vit.pth")
    assert run("convert", tmp_path / "vit.pth", "--from", "dino-vit", "--output", tmp_path / "vit") == 0
    options = ("--mask", tmp_path / "first.png", "--weights", tmp_path / "vit", "--output", tmp_path / "out")
    assert run("segment", tmp_path / "frames", *options, "--device", "cpu", "--no-overlay") == 0
    found = [read_mask(path) for path in sorted((tmp_path / "out").iterdir())]
    assert len(found) == 4 and set(np.unique(found)) <= {0, 7}
    for mask, truth in zip(found, masks, strict=True):
        overlap = ((mask == 7) & (truth == 1)).sum() / ((mask == 7) | (truth == 1)).sum()
        assert overlap > 0.5
