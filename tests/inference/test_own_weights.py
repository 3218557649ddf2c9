"""The weights that come with the tool: what they are, and that ``maskvos segment`` tracks by them."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from maskvos.composition import compose
from maskvos.datasets.generator import GeneratedSet, find_scene
from maskvos.inference.segment_options import OWN_WEIGHTS
from maskvos.params.inference import Inference
from maskvos.storage.masks import read_mask, write_mask
from maskvos.storage.weights import load_weights
from tests.inference.segmenting import run

ROOT = Path(__file__).resolve().parents[2]
STAGES = {"pretrain_backbone": "backbone_pretraining", "pretrain_correspondence": "correspondence"}


def test_they_are_small_and_trained_on_generated_videos_alone() -> None:
    assert OWN_WEIGHTS.stat().st_size <= 25_000_000
    tensors, description = load_weights(OWN_WEIGHTS)
    assert {value.dtype for value in tensors.values()} == {torch.float16, torch.int64}
    assert description["licence"] and description["commit"]
    assert description["data"] == "generated videos only"
    preset = compose(ROOT, ["preset=generated"])
    assert preset["data"]["train"]["source"] == "generated"
    for stage, section in STAGES.items():  # else `make weights` would make others
        for name, value in description["training"][stage]["parameters"][section].items():
            assert preset[section][name] == value, name


def test_they_bring_the_settings_of_their_preset() -> None:
    preset = Inference.model_validate(compose(ROOT, ["preset=generated"])["inference"])
    assert load_weights(OWN_WEIGHTS)[1]["inference"] == preset.for_layout("davis").model_dump()


def test_they_are_used_when_none_are_named(tmp_path: Path) -> None:
    scene = find_scene(GeneratedSet("unseen", "davis", "val", 7, 1, 4, 96, 128, 1, True), 0)
    drawn = [scene.draw(frame) for frame in range(4)]
    (tmp_path / "frames").mkdir()
    for number, (image, _) in enumerate(drawn):
        Image.fromarray(image).save(tmp_path / "frames" / f"{number}.png")
    write_mask(tmp_path / "first.png", drawn[0][1])
    run(tmp_path / "frames", "--mask", tmp_path / "first.png", "--output", tmp_path / "out")
    found, true, copied = read_mask(tmp_path / "out" / "3.png") > 0, drawn[3][1] > 0, drawn[0][1] > 0
    assert overlap(found, true) > 0.5 and overlap(found, true) > overlap(copied, true)


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union."""
    return float((one & other).sum() / (one | other).sum())
