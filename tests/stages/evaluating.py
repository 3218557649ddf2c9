"""The evaluation stage on small datasets in both layouts."""

import argparse
import json
from pathlib import Path

import numpy as np
import yaml

from stages.evaluate import main
from tests.inference.stubs import moving_square
from tests.stages.inputs import write_davis, write_manifest, write_sequence

ROOT = Path(__file__).resolve().parents[2]


def write_sets(tmp_path):
    """Parameters, a DAVIS set of two sequences, a YouTube-VOS set with a late object and its ground truth."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["networks"] |= {"embedding_dim": 16, "mask_embedding_dim": 16, "decoder_width": 16}
    params["inference"] |= {"short_side": {"davis": None, "youtubevos": None}, "references": 3}
    params["runtime"] = {"device": "cpu", "threads": 1, "workers": 0, "processes": 1, "nodes": 1, "save_memory": False}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    frames, masks = moving_square(5)
    write_davis(tmp_path, ["one", "two"], frames, masks)
    youtube, truth = tmp_path / "valid", tmp_path / "valid_ground_truth"
    late = [mask.copy() for mask in masks]
    for (_, image), mask in zip(frames[2:], late[2:], strict=True):
        image[48:, 8:24], mask[48:, 8:24] = (20, 20, 240), 2
    given = [late[0], None, np.where(late[2] == 2, late[2], 0).astype(np.uint8), None, None]
    write_sequence(youtube / "JPEGImages/clip", youtube / "Annotations/clip", frames, given)
    write_sequence(tmp_path / "unused", truth / "Annotations/clip", frames, late)
    names = [name for name, _ in frames]
    objects = {"1": {"category": "a", "frames": names}, "2": {"category": "b", "frames": names[2:]}}
    (youtube / "meta.json").write_text(json.dumps({"videos": {"clip": {"objects": objects}}}))
    write_manifest(tmp_path, "tube", "youtubevos", youtube, "valid", ["clip"])
    return tmp_path


def run(folder, dataset="davis", row="lab", output="out", weights=None, checkpoints=None):
    """The output folder and the record of a run of the stage."""
    output = folder / output
    args = argparse.Namespace(
        params=folder / "params.yaml",
        dataset=folder / f"{dataset}.json",
        row=row,
        weights=weights,
        predictions=output / "predictions",
        metrics=output / "metrics.json",
        objects=output / "objects.csv",
        checkpoints=checkpoints,
    )
    return output, main(args)


def contents(output):
    return {path.relative_to(output): path.read_bytes() for path in sorted(output.rglob("*")) if path.is_file()}
