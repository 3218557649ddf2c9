"""What weights say of their training: the same for the same parameters and data, and nothing of the machine."""

import json
from pathlib import Path

import pytest
import torch

from maskvos.errors import UserError
from maskvos.params import read_params
from maskvos.storage.frames import FrameStore
from maskvos.storage.weights import save_weights
from maskvos.training.provenance import training_record
from tests.tiny import CORRESPONDENCE, write_frames, write_params

ROOT = Path(__file__).resolve().parents[2]
SECTIONS = ("seed", "precision", "networks", "correspondence", "versions.pretrain_correspondence")


def record(folder, start=None, **changes):
    folder.mkdir(exist_ok=True)
    write_params(folder / "params.yaml", ROOT / "params.yaml", correspondence={**CORRESPONDENCE, **changes})
    if not (folder / "frames").exists():
        write_frames(folder / "frames")
    params, store = read_params(folder / "params.yaml", SECTIONS), FrameStore(folder / "frames")
    return training_record("pretrain_correspondence", params, "bf16", store, start, round=2)


def test_the_declared_parameters_and_the_data(tmp_path):
    found = record(tmp_path)["pretrain_correspondence"]
    assert set(found) == {"parameters", "used_precision", "data", "round"}
    assert found["used_precision"] == "bf16" and found["round"] == 2
    assert found["data"] == {"frames": FrameStore(tmp_path / "frames").fingerprint, "dataset": {}}
    parameters = found["parameters"]
    assert set(parameters) == {"seed", "precision", "networks", "correspondence", "versions"}
    assert set(parameters["versions"]) == {"pretrain_correspondence"}
    assert parameters["correspondence"]["learning_rate"] == CORRESPONDENCE["learning_rate"]


def test_the_same_in_another_folder_and_with_other_logging(tmp_path):
    first = json.dumps(record(tmp_path / "a"), sort_keys=True)
    assert first == json.dumps(record(tmp_path / "b", log_every=7, checkpoint_every=9), sort_keys=True)
    assert first != json.dumps(record(tmp_path / "c", temperature=0.2), sort_keys=True)
    assert str(tmp_path) not in first


def test_the_record_of_the_start_is_carried_on(tmp_path):
    start = tmp_path / "start.safetensors"
    earlier = {"pretrain_backbone": {"parameters": {"seed": 1}}, "pretrain_correspondence": {"round": 1}}
    save_weights(start, {"x": torch.zeros(1)}, {"kind": "encoder", "training": earlier})
    found = record(tmp_path / "a", start)
    assert found["pretrain_backbone"] == earlier["pretrain_backbone"]
    assert found["pretrain_correspondence"]["round"] == 2
    save_weights(start, {"x": torch.zeros(1)}, {"kind": "encoder"})  # as maskvos-1 had it
    assert set(record(tmp_path / "a", start)) == {"pretrain_correspondence"}
    with pytest.raises(UserError, match="no such weights file"):
        record(tmp_path / "a", tmp_path / "gone.safetensors")
