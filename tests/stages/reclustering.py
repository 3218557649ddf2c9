"""The re-clustering stage on a small store of frames."""

import argparse
from pathlib import Path

import cv2
import numpy as np
import yaml

from maskvos.networks.files import save_network, untrained_encoder
from maskvos.params import read_all_params
from maskvos.storage.frame_writer import EncodedClip, write_store
from stages.recluster import main

ROOT = Path(__file__).resolve().parents[2]
SIZES = {"ducks": (3, 48, 64), "trees": (5, 64, 48)}


def encoded(name, count, height, width):
    generator = np.random.default_rng(len(name) + count)
    coarse = generator.integers(0, 256, (count, 4, 4, 3), dtype=np.uint8)
    frames = [cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC) for image in coarse]
    images = [cv2.imencode(".png", frame)[1].tobytes() for frame in frames]
    return EncodedClip(name, height, width, [f"{i:05}" for i in range(count)], images)


def write_clips(tmp_path):
    """A store of two clips, untrained weights, parameters."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["clustering"] |= {"short_side": 48, "oversize": 0.4, "clusters": 5, "border": 8, "position_weight": 0.5}
    params["networks"] |= {"embedding_dim": 32}
    params["runtime"] = {"device": "cpu", "threads": 1, "workers": 0, "processes": 1, "nodes": 1, "save_memory": False}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    write_frames(tmp_path)
    networks = read_all_params(tmp_path / "params.yaml").networks
    save_network(tmp_path / "weights", untrained_encoder(networks, 3), "encoder", networks)
    return tmp_path


def write_frames(folder, longer=0):
    (folder / "frames").mkdir()
    clips = [encoded(name, count + longer, *size) for name, (count, *size) in SIZES.items()]
    write_store(folder / "frames", clips, ".png", {})


def run(folder, name="first", round_=0, **changes):
    values = {
        "params": folder / "params.yaml",
        "round": round_,
        "frames": folder / "frames",
        "weights": folder / "weights",
        "output": folder / name / "pseudo_masks.safetensors",
        "statistics": folder / name / "clustering.json",
        "previous_pseudo_masks": None,
        "checkpoints": None,
    }
    args = argparse.Namespace(**(values | changes))
    return args, main(args)


def change(folder, **clustering):
    params = yaml.safe_load((folder / "params.yaml").read_text())
    params["clustering"] |= clustering
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
