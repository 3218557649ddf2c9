"""The stage on small datasets in both layouts: files, repeatability, and that no later annotation reaches inference."""

import json
import shutil

import numpy as np
import pytest
import torch
import yaml

from maskvos.convert.checkpoints import read_checkpoint
from maskvos.convert.conversion import convert
from maskvos.convert.sources import SOURCES
from maskvos.errors import UserError
from maskvos.params import read_all_params
from maskvos.storage.descriptions import FILE
from maskvos.storage.masks import read_mask, write_mask
from maskvos.storage.weights import save_weights
from stages.evaluate import PARAMETERS
from tests.convert import published
from tests.stages.evaluating import contents, run, write_sets


@pytest.fixture
def folder(tmp_path):
    return write_sets(tmp_path)


def test_files_and_record(folder):
    output, record = run(folder)
    assert len(list((output / "predictions").rglob("*.png"))) == 10
    metrics = json.loads((output / "metrics.json").read_text())
    assert (metrics["set"], metrics["row"]) == ("davis", "lab")
    assert metrics["global"]["J_mean"] > 0.7
    assert set(metrics["objects"]) == {"one_1", "two_1"}
    header = (output / "objects.csv").read_text().splitlines()[0]
    assert header == "object,J_mean,J_recall,J_decay,F_mean,F_recall,F_decay"
    assert record["frames"] == 10
    assert record["fps"] > 0


def test_the_same_bytes_again(folder):
    assert contents(run(folder, output="a")[0]) == contents(run(folder, output="b")[0])


def test_the_layout_of_the_manifest_decides_the_resolution(folder):
    native = {name: contents(run(folder, name, output=f"native-{name}")[0]) for name in ("davis", "tube")}
    params = yaml.safe_load((folder / "params.yaml").read_text())
    params["inference"]["short_side"]["davis"] = 32
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    small = {name: contents(run(folder, name, output=f"small-{name}")[0]) for name in ("davis", "tube")}
    assert small["davis"] != native["davis"]
    assert small["tube"] == native["tube"]


def test_copy_is_worse_than_following(folder):
    scores = {}
    for row in ("copy", "lab"):
        output, _ = run(folder, row=row, output=row)
        scores[row] = json.loads((output / "metrics.json").read_text())["global"]["J_mean"]
    assert scores["copy"] < scores["lab"] - 0.1


def test_a_converted_checkpoint_is_a_row_of_its_own(folder):
    """Random weights of a ResNet at 1/8 tell the red square from the ground."""
    tensors = published.resnet("resnet18")
    torch.save(published.vfs(tensors, 8), folder / "vfs.pth")
    path = folder / "vfs" / FILE
    converted = convert(read_checkpoint(folder / "vfs.pth"), SOURCES["vfs"], path)
    save_weights(path, converted.tensors, {"kind": "features", "networks": converted.settings.model_dump()})
    output, _ = run(folder, row="external", weights=folder / "vfs")
    metrics = json.loads((output / "metrics.json").read_text())
    assert metrics["row"] == "external" and metrics["global"]["J_mean"] > 0.5


@pytest.mark.parametrize("row", ["lab", "untrained"])
def test_later_annotations_never_reach_inference(folder, row):
    before = contents(run(folder, row=row, output="before")[0] / "predictions")
    for name in ("one", "two"):
        for path in sorted((folder / "DAVIS/Annotations/480p" / name).iterdir())[1:]:
            write_mask(path, np.zeros((64, 96), np.uint8))
    after = contents(run(folder, row=row, output="after")[0] / "predictions")
    assert before == after


def test_late_objects_are_scored(folder):
    output, _ = run(folder, dataset="tube")
    metrics = json.loads((output / "metrics.json").read_text())
    assert set(metrics["objects"]) == {"clip_1", "clip_2"}
    assert metrics["objects"]["clip_2"]["J_mean"] > 0.7
    assert 2 not in read_mask(output / "predictions/clip/00001.png")
    assert 2 in read_mask(output / "predictions/clip/00002.png")


def test_without_ground_truth_the_metrics_say_so(folder):
    shutil.rmtree(folder / "valid_ground_truth")
    output, _ = run(folder, dataset="tube")
    metrics = json.loads((output / "metrics.json").read_text())
    assert "no ground truth" in metrics["protocol"]
    assert metrics["global"] == {}
    assert len((output / "objects.csv").read_text().splitlines()) == 1
    assert len(list((output / "predictions").rglob("*.png"))) == 5


def test_nothing_is_left_behind_by_a_failure(folder):
    (folder / "DAVIS/JPEGImages/480p/two/00003.png").write_bytes(b"damaged")
    with pytest.raises(UserError, match=r"00003\.png"):
        run(folder)
    assert not contents(folder / "out")


def test_only_the_declared_parameters_are_read(folder):
    params = read_all_params(folder / "params.yaml")
    assert all(hasattr(params, section.split(".")[0]) for section in PARAMETERS)
