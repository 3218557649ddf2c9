"""The segmentation stage on a tiny frame store: what it writes, and rounds that add up to one run, bit for bit."""

import argparse
import csv
from pathlib import Path

import pytest
import torch
import yaml

from maskvos.errors import UserError
from maskvos.networks.files import load_model, save_network, untrained_encoder
from maskvos.params.plan import derive_plan
from maskvos.storage.descriptions import FILE, read_description
from maskvos.storage.frames import FrameStore
from maskvos.storage.weights import load_weights, save_weights
from maskvos.training.segmentation_task import SegmentationTask
from stages.segment import OPTIMISER, main
from tests.tiny import networks, write_frames, write_params

ROOT = Path(__file__).parents[2]
# A rate, gaps and a warm-up that change with the step: whatever forgets the steps of the rounds before shows.
SEGMENTATION = {
    "batch": 2,
    "learning_rate": 1e-3,
    "schedule": "cosine",
    "warmup_epochs": 0.5,
    "log_every": 1,
    "checkpoint_every": 2,
    "cropping": {"short_side": [40, 48], "crop": 32, "zoom": [0.5, 1.0]},
    "max_gap": [1, 3],
    "objects": 2,
    "encoder_rate": 1.0,
}


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Frames, an encoder to start from, and pseudo masks: a band and a block, in every clip."""
    folder = tmp_path_factory.mktemp("inputs")
    write_frames(folder / "frames", clips=4, frames=8)
    save_network(folder / "encoder", untrained_encoder(networks(), 1), "encoder", networks())
    labels = torch.zeros(8, 6, 8, dtype=torch.uint8)
    labels[:, :3], labels[:, 3:, 4:] = 1, 2
    store = FrameStore(folder / "frames")
    description = {"kind": "pseudo_masks", "frames": store.fingerprint, "clustering": {"clusters": 3}}
    save_weights(folder / "masks.safetensors", {clip.name: labels for clip in store.clips}, description)
    return folder


def parameters(path, rounds, epochs, **changes):
    content = yaml.safe_load((ROOT / "params.yaml").read_text())
    sections = {
        "segmentation": content["segmentation"] | SEGMENTATION | {"epochs": epochs} | changes,
        "alternate": content["alternate"] | {"rounds": rounds},
    }
    write_params(path, ROOT / "params.yaml", precision="fp32", plan=derive_plan(content | sections), **sections)
    return path


def run(inputs, folder, params, number=0):
    """Round ``number``; its weights go to ``folder/number``."""
    given = argparse.Namespace(
        params=params,
        round=number,
        frames=inputs / "frames",
        weights=folder / str(number - 1) if number else inputs / "encoder",
        pseudo_masks=inputs / "masks.safetensors",
        output=folder / str(number),
        curves=folder / f"curves-{number}.csv",
        checkpoints=folder / "checkpoints",
    )
    return main(given)


def rows(folder, number):
    return list(csv.DictReader((folder / f"curves-{number}.csv").open()))


CHANGES = [{}, {"encoder_rate": 0.0}, {"schedule": "step", "step_epochs": 1}, {"residual_decoder": True}]


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_rounds_add_up_to_one_run_bit_for_bit(inputs, tmp_path, changes):
    """With the pseudo masks frozen, 2 rounds of 1 epoch are 1 round of 2 epochs: weights, statistics, Adam, curves."""
    run(inputs, tmp_path / "whole", parameters(tmp_path / "whole.yaml", 1, 2, **changes))
    halves = parameters(tmp_path / "halves.yaml", 2, 1, **changes)
    for number in (0, 1):
        run(inputs, tmp_path / "halves", halves, number)
    training = read_description(tmp_path / "halves/1" / FILE)["training"]
    assert training.keys() == {"segment"}
    assert (training["segment"]["round"], training["segment"]["clustering"]) == (1, {"clusters": 3})
    for name in (FILE, OPTIMISER):
        whole, _ = load_weights(tmp_path / "whole/0" / name)
        parts, _ = load_weights(tmp_path / "halves/1" / name)
        assert whole.keys() == parts.keys()
        differing = [key for key in whole if not torch.equal(whole[key], parts[key])]
        assert not differing, f"{name}: {len(differing)} of {len(whole)} tensors differ, such as {differing[:3]}"
    assert rows(tmp_path / "halves", 0) + rows(tmp_path / "halves", 1) == rows(tmp_path / "whole", 0)


def test_all_rounds_have_one_kind_of_decoder(inputs, tmp_path):
    run(inputs, tmp_path / "out", parameters(tmp_path / "one.yaml", 2, 1, residual_decoder=True))
    other = parameters(tmp_path / "other.yaml", 2, 1, residual_decoder=False)
    with pytest.raises(UserError, match=r"model\.safetensors: was trained with segmentation\.residual_decoder true"):
        run(inputs, tmp_path / "out", other, 1)


def test_an_interrupted_round_ends_with_the_same_bytes(inputs, tmp_path, monkeypatch):
    params = parameters(tmp_path / "params.yaml", 1, 2)
    record = run(inputs, tmp_path / "whole", params)
    assert record["steps"] == 4
    monkeypatch.setattr(SegmentationTask, "after_step", stop_at(2))
    with pytest.raises(InterruptedError):
        run(inputs, tmp_path / "broken", params)
    monkeypatch.undo()
    assert not (tmp_path / "broken/0").exists()
    assert run(inputs, tmp_path / "broken", params)["resumed_after"] == 2
    for name in (FILE, OPTIMISER):
        assert (tmp_path / "broken/0" / name).read_bytes() == (tmp_path / "whole/0" / name).read_bytes()
    load_model(tmp_path / "broken/0", networks())
    assert [row["step"] for row in rows(tmp_path / "broken", 0)] == ["1", "2", "3", "4"]


def stop_at(last):
    def after_step(_task, step):
        if step == last:
            raise InterruptedError

    return after_step


def test_a_round_that_there_is_not(inputs, tmp_path):
    with pytest.raises(UserError, match=r"--round 1: alternate\.rounds is 1"):
        run(inputs, tmp_path, parameters(tmp_path / "params.yaml", 1, 1), 1)


def test_pseudo_masks_of_other_frames_are_an_error(inputs, tmp_path):
    write_frames(tmp_path / "frames", clips=3, frames=8)
    (tmp_path / "encoder").symlink_to(inputs / "encoder")
    (tmp_path / "masks.safetensors").symlink_to(inputs / "masks.safetensors")
    with pytest.raises(UserError, match=r"masks\.safetensors: pseudo masks of other frames.*Run recluster"):
        run(tmp_path, tmp_path / "out", parameters(tmp_path / "params.yaml", 1, 1))
    assert not (tmp_path / "out").exists()
