"""The DINO stage on a tiny frame store: outputs, repeatability, resuming."""

import argparse
import csv
import importlib.util
from pathlib import Path

import pytest
import torch

from maskvos.errors import UserError
from maskvos.learning.dino import Dino
from maskvos.networks.files import load_encoder, untrained_encoder
from maskvos.storage.descriptions import FILE
from maskvos.storage.weights import load_weights
from tests.tiny import BACKBONE, backbone_pretraining, collapse, networks, write_frames, write_params

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def stage():
    spec = importlib.util.spec_from_file_location("pretrain_backbone", ROOT / "stages" / "pretrain_backbone.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    write_frames(folder / "frames")
    write_params(folder / "params.yaml", ROOT / "params.yaml", backbone_pretraining=BACKBONE, precision="fp32")
    return folder


@pytest.fixture(scope="module")
def finished(stage, inputs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    return folder, stage.main(arguments(inputs, folder))


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)
    yield
    torch.use_deterministic_algorithms(False)


def arguments(inputs, folder):
    return argparse.Namespace(
        params=inputs / "params.yaml",
        frames=inputs / "frames",
        output=folder / "weights",
        curves=folder / "curves.csv",
        checkpoints=folder / "checkpoints",
    )


def outputs(folder):
    return [(folder / name).read_bytes() for name in (f"weights/{FILE}", "curves.csv")]


def test_writes_a_trunk_that_the_next_stage_loads_and_curves(stage, finished):
    folder, record = finished
    assert record["frames"] == 12 and record["steps"] == 6
    tensors, description = load_weights(folder / "weights" / FILE)
    encoder = load_encoder(folder / "weights", networks())
    assert torch.equal(encoder.trunk.layer3[0].conv1.weight, tensors["layer3.0.conv1.weight"])
    assert all(value.isfinite().all() for value in tensors.values())
    assert description["kind"] == "backbone" and set(description["training"]) == {stage.NAME}
    declared = {section.split(".")[0] for section in stage.PARAMETERS}
    assert set(description["training"][stage.NAME]["parameters"]) == declared
    rows = list(csv.DictReader((folder / "curves.csv").open()))
    teacher = ["teacher_entropy", "batch_entropy", "information"]
    assert list(rows[0]) == ["step", "epoch", "learning_rate", "loss", *teacher, "similarity", "effective_rank"]
    assert [int(row["step"]) for row in rows] == [2, 4, 6]
    assert list((folder / "checkpoints").iterdir()) == []


def test_the_teachers_trunk_is_kept_and_has_moved(finished):
    tensors, _ = load_weights(finished[0] / "weights" / FILE)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        initial = Dino(networks(), backbone_pretraining()).teacher.trunk.state_dict()
    assert tensors.keys() == initial.keys()
    moved = (tensors["layer4.0.conv1.weight"] - initial["layer4.0.conv1.weight"]).abs().max()
    assert 0 < moved < 0.01  # from another seed's initial weights it would be ten times as far
    assert tensors["stem.1.num_batches_tracked"] == 6  # the global crops alone; the student counts the local ones too


def test_an_interrupted_run_ends_with_the_same_bytes(stage, inputs, finished, tmp_path, monkeypatch):
    original = Dino.move_teacher
    calls = []

    def move_teacher(self, momentum):
        calls.append(momentum)
        if len(calls) == 5:
            raise InterruptedError
        original(self, momentum)

    monkeypatch.setattr(Dino, "move_teacher", move_teacher)
    with pytest.raises(InterruptedError):
        stage.main(arguments(inputs, tmp_path))
    assert not (tmp_path / "weights").exists() and not (tmp_path / "curves.csv").exists()
    stage.main(arguments(inputs, tmp_path))
    assert len(calls) == 5 + 3  # went on after step 3, in the middle of a row of the curve
    assert outputs(tmp_path) == outputs(finished[0])


def test_a_collapsed_run_writes_nothing_and_goes_on_with_warn_to_the_same_bytes(stage, inputs, finished, tmp_path):
    """The limits are no part of what a checkpoint belongs to: they change no result."""
    given = arguments(inputs, tmp_path)
    limits = {"warmup": 0.4, "patience": 2, "max_similarity": -1.0}
    for action in ("stop", "warn"):
        given.params = tmp_path / f"{action}.yaml"
        write_params(
            given.params,
            ROOT / "params.yaml",
            backbone_pretraining=BACKBONE,
            precision="fp32",
            collapse=collapse(action=action, **limits).model_dump(),
        )
    given.params = tmp_path / "stop.yaml"
    with pytest.raises(UserError, match=r"pretrain_backbone: the features have collapsed.*steps 4 to 6.*keeps step 3"):
        stage.main(given)
    assert not given.output.exists() and not given.curves.exists()
    given.params = tmp_path / "warn.yaml"
    assert stage.main(given)["resumed_after"] == 3
    assert outputs(tmp_path) == outputs(finished[0])


def test_after_the_last_step_only_the_outputs_are_written_again(stage, inputs, finished, tmp_path, monkeypatch):
    monkeypatch.setattr(stage, "write_curves", lambda path, rows: (_ for _ in ()).throw(InterruptedError))
    with pytest.raises(InterruptedError):  # after the last step: its checkpoint is there, the curves are not
        stage.main(arguments(inputs, tmp_path))
    monkeypatch.undo()
    monkeypatch.delattr(Dino, "move_teacher")  # no step may run
    stage.main(arguments(inputs, tmp_path))
    assert outputs(tmp_path) == outputs(finished[0])


def test_no_frame_store_is_a_users_error(stage, inputs, tmp_path):
    given = arguments(inputs, tmp_path)
    given.frames = tmp_path / "absent"
    with pytest.raises(UserError, match="Run the stage `prepare` first"):
        stage.main(given)


def test_without_an_epoch_the_random_trunk_is_handed_on(stage, inputs, tmp_path):
    write_params(tmp_path / "params.yaml", ROOT / "params.yaml", backbone_pretraining=BACKBONE | {"epochs": 0})
    args = arguments(inputs, tmp_path)
    args.params = tmp_path / "params.yaml"
    assert stage.main(args)["steps"] == 0
    assert (tmp_path / "curves.csv").read_text() == "step\n"
    untrained = untrained_encoder(networks(), seed=0)
    encoder = load_encoder(tmp_path / "weights", networks(), seed=0)
    assert all(torch.equal(a, b) for a, b in zip(encoder.parameters(), untrained.parameters(), strict=True))
