"""The correspondence stage on a tiny frame store, for each regime: outputs, curves, resuming, and no epoch at all."""

import argparse
import csv
from pathlib import Path

import pytest
import torch
import yaml

from maskvos.networks.files import load_encoder, save_network
from maskvos.networks.trunk import Trunk
from maskvos.storage.descriptions import FILE, read_description
from maskvos.storage.weights import load_weights
from maskvos.training.correspondence_task import CorrespondenceTask
from stages.pretrain_correspondence import main
from tests.tiny import CORRESPONDENCE, networks, write_frames, write_params

ROOT = Path(__file__).parents[2]
COLUMNS = {"contrastive": ["short", "long"], "photometric": ["photometric"], "cycle": ["cycle"]}
BEFORE = {"pretrain_backbone": {"parameters": {"seed": 5}}}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    write_frames(folder / "frames", clips=4)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        save_network(folder / "backbone", Trunk(networks(last_layer="layer4")), "backbone", networks(), training=BEFORE)
    return folder


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)
    yield
    torch.use_deterministic_algorithms(False)


def arguments(inputs, folder, **changes):
    folder.mkdir(exist_ok=True)
    source = ROOT / "params.yaml"
    sections = {
        "correspondence": CORRESPONDENCE | changes,
        "segmentation": yaml.safe_load(source.read_text())["segmentation"] | {"encoder_rate": 1.0},
    }
    write_params(folder / "params.yaml", source, **sections, precision="fp32")
    return argparse.Namespace(
        params=folder / "params.yaml",
        frames=inputs / "frames",
        weights=inputs / "backbone",
        output=folder / "weights",
        curves=folder / "curves.csv",
        checkpoints=folder / "checkpoints",
    )


def outputs(folder):
    return [(folder / name).read_bytes() for name in (f"weights/{FILE}", "curves.csv")]


@pytest.mark.parametrize("regime", COLUMNS)
def test_each_regime_trains_e_and_records_its_losses(inputs, tmp_path, regime, monkeypatch):
    record = main(arguments(inputs, tmp_path / "whole", regime=regime))
    assert record["steps"] == 4
    rows = list(csv.DictReader((tmp_path / "whole" / "curves.csv").open()))
    assert list(rows[0]) == ["step", "epoch", "learning_rate", "loss", *COLUMNS[regime], "similarity", "effective_rank"]
    assert [int(row["step"]) for row in rows] == [2, 4]
    trained, start = (
        load_encoder(tmp_path / "whole" / "weights", networks()),
        load_encoder(inputs / "backbone", networks()),
    )
    training = read_description(tmp_path / "whole" / "weights" / FILE)["training"]
    assert training.keys() == {*BEFORE, "pretrain_correspondence"}
    assert training["pretrain_correspondence"]["parameters"]["correspondence"]["regime"] == regime
    for before, after in zip(start.parameters(), trained.parameters(), strict=True):
        assert not torch.equal(before, after)

    original, calls = CorrespondenceTask.after_step, []

    def after_step(task, step):
        calls.append(step)
        if len(calls) == 4:
            raise InterruptedError
        original(task, step)

    monkeypatch.setattr(CorrespondenceTask, "after_step", after_step)
    with pytest.raises(InterruptedError):
        main(arguments(inputs, tmp_path / "broken", regime=regime))
    main(arguments(inputs, tmp_path / "broken", regime=regime))
    assert calls == [0, 1, 2, 3, 3]  # went on after the checkpoint of step 3
    assert outputs(tmp_path / "broken") == outputs(tmp_path / "whole")


def test_without_an_epoch_the_backbone_is_handed_on(inputs, tmp_path):
    record = main(arguments(inputs, tmp_path, epochs=0))
    assert record["steps"] == 0
    start, _ = load_weights(inputs / "backbone" / FILE)
    encoder = load_encoder(tmp_path / "weights", networks())
    assert torch.equal(encoder.trunk.layer3[0].conv1.weight, start["layer3.0.conv1.weight"])
    expected = load_encoder(inputs / "backbone", networks(), seed=0)
    assert all(torch.equal(a, b) for a, b in zip(encoder.parameters(), expected.parameters(), strict=True))
    assert (tmp_path / "curves.csv").read_text() == "step\n"
