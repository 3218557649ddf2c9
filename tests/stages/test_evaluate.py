"""The stage on small datasets in both layouts: files, repeatability, and that no later annotation reaches inference."""

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from maskvos.convert.checkpoints import read_checkpoint
from maskvos.convert.conversion import convert
from maskvos.convert.sources import SOURCES
from maskvos.errors import UserError
from maskvos.params import read_all_params
from maskvos.storage.descriptions import FILE
from maskvos.storage.masks import read_mask, write_mask
from maskvos.storage.weights import save_weights
from stages.evaluate import PARAMETERS, main
from tests.convert import published
from tests.inference.stubs import moving_square

ROOT = Path(__file__).resolve().parents[2]


def write_sequence(images, annotations, frames, masks):
    images.mkdir(parents=True)
    for (name, image), mask in zip(frames, masks, strict=True):
        Image.fromarray(image).save(images / f"{name}.png")
        if mask is not None:
            write_mask(annotations / f"{name}.png", mask)


@pytest.fixture
def folder(tmp_path):
    """Parameters, a DAVIS set of two sequences, a YouTube-VOS set with a late object and its ground truth."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["networks"] |= {"embedding_dim": 16, "mask_embedding_dim": 16, "decoder_width": 16}
    params["inference"] |= {"short_side": {"davis": None, "youtubevos": None}, "references": 3}
    params["runtime"] = {"device": "cpu", "threads": 1, "workers": 0, "processes": 1, "nodes": 1, "save_memory": False}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    frames, masks = moving_square(5)
    davis, youtube, truth = tmp_path / "DAVIS", tmp_path / "valid", tmp_path / "valid_ground_truth"
    for name in ("one", "two"):
        write_sequence(davis / "JPEGImages/480p" / name, davis / "Annotations/480p" / name, frames, masks)
    (davis / "ImageSets/2017").mkdir(parents=True)
    (davis / "ImageSets/2017/val.txt").write_text("one\ntwo\n")
    late = [mask.copy() for mask in masks]
    for (_, image), mask in zip(frames[2:], late[2:], strict=True):
        image[48:, 8:24], mask[48:, 8:24] = (20, 20, 240), 2
    given = [late[0], None, np.where(late[2] == 2, late[2], 0).astype(np.uint8), None, None]
    write_sequence(youtube / "JPEGImages/clip", youtube / "Annotations/clip", frames, given)
    write_sequence(tmp_path / "unused", truth / "Annotations/clip", frames, late)
    names = [name for name, _ in frames]
    objects = {"1": {"category": "a", "frames": names}, "2": {"category": "b", "frames": names[2:]}}
    (youtube / "meta.json").write_text(json.dumps({"videos": {"clip": {"objects": objects}}}))
    manifest(tmp_path, "davis", "davis", davis, "val", ["one", "two"])
    manifest(tmp_path, "tube", "youtubevos", youtube, "valid", ["clip"])
    return tmp_path


def manifest(folder, name, layout, root, split, sequences):
    content = {"name": name, "layout": layout, "split": split, "root": str(root), "licence": "", "fingerprint": ""}
    content |= {"sequences": [{"name": item, "frames": 5} for item in sequences], "frames": 5 * len(sequences)}
    (folder / f"{name}.json").write_text(json.dumps(content))


def run(folder, dataset="davis", row="lab", output="out", weights=None):
    output = folder / output
    args = argparse.Namespace(
        params=folder / "params.yaml",
        dataset=folder / f"{dataset}.json",
        row=row,
        weights=weights,
        predictions=output / "predictions",
        metrics=output / "metrics.json",
        objects=output / "objects.csv",
    )
    return output, main(args)


def contents(output):
    return {path.relative_to(output): path.read_bytes() for path in sorted(output.rglob("*")) if path.is_file()}


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
