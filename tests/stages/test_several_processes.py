"""Trained stages as their command lines run them: by one process, by two that they start, by torchrun on two nodes.

float32, as users run it: sums are added up in another order, which the tolerances allow for. In float64 the same
comparison holds to nine digits (`tests/training/test_distributed.py`).
"""

import argparse
import csv
import functools
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml

from maskvos.networks.files import load_encoder
from maskvos.params.method import BackbonePretraining
from maskvos.params.reading import read_all_params
from maskvos.storage.descriptions import FILE
from maskvos.storage.weights import load_weights
from maskvos.training.backbone_task import BackboneTask
from maskvos.training.segmentation_start import starting_model
from tests.stages.inputs import write_inputs
from tests.tiny import BACKBONE, CORRESPONDENCE, RUNTIME, networks, write_params

ROOT = Path(__file__).parents[2]
FEW = {"batch": 4, "epochs": 1, "warmup_epochs": 0, "log_every": 1, "checkpoint_every": 1}
SECTIONS = {
    "pretrain_backbone": {"backbone_pretraining": BACKBONE | FEW | {"learning_rate": 1e-2}},
    "pretrain_correspondence": {"correspondence": CORRESPONDENCE | FEW},
    "segment": {
        "segmentation": FEW
        | {"cropping": {"short_side": [40, 48], "crop": 32, "zoom": [0.5, 1.0]}}
        | {"objects": 2, "encoder_rate": 1.0, "max_gap": [1, 3], "learning_rate": 1e-3}
    },
}
WORDS = {
    "pretrain_backbone": {},
    "pretrain_correspondence": {"weights": "backbone"},
    "segment": {"weights": "encoder", "round": 0, "pseudo_masks": "masks.safetensors"},
}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    return write_inputs(tmp_path_factory.mktemp("inputs"), clips=8, frames=4)


def arguments(inputs, folder, stage, changes):
    """The parameter file in the folder, and the stage's words."""
    folder.mkdir(exist_ok=True)
    source = ROOT / "params.yaml"
    sections = {name: yaml.safe_load(source.read_text())[name] | values for name, values in SECTIONS[stage].items()}
    runtime = RUNTIME | changes.pop("runtime", {})
    sections = {name: section | changes for name, section in sections.items()}
    write_params(folder / "params.yaml", source, precision="fp32", runtime=runtime, **sections)
    words = {"params": folder / "params.yaml", "frames": inputs / "frames", **WORDS[stage]}
    words |= {"output": folder / "weights", "curves": folder / "curves.csv", "checkpoints": folder / "checkpoints"}
    return {name: inputs / word if name in ("weights", "pseudo_masks") else word for name, word in words.items()}


def begin(inputs, folder, stage, *launcher, **changes):
    """The stage's process, in a folder of its own."""
    words = arguments(inputs, folder, stage, changes)
    options = [part for name, word in words.items() for part in (f"--{name.replace('_', '-')}", str(word))]
    return subprocess.Popen(
        [*(launcher or [sys.executable]), str(ROOT / "stages" / f"{stage}.py"), *options],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )


def by_one(inputs, folder, stage, **changes):
    """What one process makes of it: the same code, called."""
    torch.set_num_threads(1)
    main = importlib.import_module(f"stages.{stage}").main
    return main(argparse.Namespace(**arguments(inputs, folder, stage, changes)))


def finish(process, status=0):
    _, errors = process.communicate(timeout=300)
    assert process.returncode == status, errors
    return errors


def rows(folder):
    return [
        {name: float(value) for name, value in row.items()} for row in csv.DictReader((folder / "curves.csv").open())
    ]


def assert_alike(folder, other, start):
    """The same curves, and weights that differ by a small part of the way that they have come from ``start``.

    Adam's first steps have the learning rate's size whatever the gradient's, so that the few elements whose gradient is
    nothing but rounding go one way in one process and the other in two.
    """
    found, expected = (load_weights(path / "weights" / FILE)[0] for path in (folder, other))
    assert found.keys() == expected.keys()
    way = torch.cat([(expected[name] - value).flatten() for name, value in start.items() if name in expected])
    apart = torch.cat([(expected[name] - value).flatten() for name, value in found.items() if name in start])
    assert apart.norm() < 0.1 * way.norm()
    for name, value in expected.items():
        if "running" in name:
            assert (found[name] - value).norm() < 0.02 * value.norm(), name
    for number, (row, wanted) in enumerate(zip(rows(folder), rows(other), strict=True)):
        # After a step of Adam, L_long may align a pixel with another one.
        assert row == {name: pytest.approx(value, rel=5e-2 if number else 1e-4) for name, value in wanted.items()}


def record(folder, stage):
    return json.loads(next((folder / "logs").glob(f"{stage}*.json")).read_text())


def beginning(inputs, stage):
    """Floating-point tensors that the stage starts from."""
    if stage == "pretrain_backbone":
        settings = BackbonePretraining(**SECTIONS[stage]["backbone_pretraining"])
        seed = yaml.safe_load((ROOT / "params.yaml").read_text())["seed"]
        state = BackboneTask(networks(), settings, seed, "fp32", 1, torch.device("cpu")).trunk.state_dict()
    elif stage == "pretrain_correspondence":
        state = load_encoder(inputs / "backbone", networks()).state_dict()
    else:
        settings = read_all_params(ROOT / "params.yaml").segmentation.model_copy(
            update={"mask_encoder_start": "encoder"}
        )
        state = starting_model(inputs / "encoder", networks(), settings, 0).state_dict()
    return {name: value for name, value in state.items() if value.is_floating_point() and "running" not in name}


@pytest.fixture(scope="module")
def one(inputs, tmp_path_factory):
    """Stage -> the folder of its run by one process."""

    @functools.cache
    def run(stage):
        folder = tmp_path_factory.mktemp(stage)
        by_one(inputs, folder, stage)
        return folder

    yield run
    torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("stage", WORDS)
def test_two_processes_by_the_same_command(inputs, one, tmp_path, stage):
    errors = finish(begin(inputs, tmp_path / "two", stage, runtime={"processes": 2}))
    assert_alike(tmp_path / "two", one(stage), beginning(inputs, stage))
    written = record(tmp_path / "two", stage)
    assert written["processes"] == 2
    assert errors.count(f"{written['steps']}/{written['steps']}") == 1  # said once
    assert not list((tmp_path / "two/checkpoints").glob("*"))


def test_torchrun_on_two_nodes(inputs, one, tmp_path):
    """Two agents as on two machines, each with a process; weights, curves and record come from the first."""
    stage = "pretrain_correspondence"
    agent = [sys.executable, "-m", "torch.distributed.run", "--nnodes=2", "--nproc-per-node=1", "--rdzv-backend=c10d"]
    agent += [f"--rdzv-endpoint=localhost:{free_port()}", "--rdzv-id=7"]
    nodes = [begin(inputs, tmp_path / name, stage, *agent) for name in ("first", "second")]
    for node in nodes:
        finish(node)
    written = [tmp_path / name for name in ("first", "second") if (tmp_path / name / "weights").exists()]
    assert len(written) == 1  # torchrun decides which of them is the first
    assert_alike(written[0], one(stage), beginning(inputs, stage))


def free_port():
    with socket.socket() as free:
        free.bind(("", 0))
        return free.getsockname()[1]


SRUN = """#!/usr/bin/env bash
# Slurm's srun as far as the launcher needs it: the command once for each node, side by side.
echo "$@" > srun.words
while [[ "$1" == --* ]]; do
    case "$1" in --nodes=*) nodes=${1#--nodes=} ;; esac
    shift
done
for _ in $(seq "$nodes"); do "$@" & pids+=($!); done
for pid in "${pids[@]}"; do wait "$pid" || status=$?; done
exit "${status:-0}"
"""


def test_two_nodes_of_a_slurm_job(inputs, one, tmp_path, monkeypatch):
    (tmp_path / "srun").write_text(SRUN)
    (tmp_path / "srun").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    stage = "pretrain_correspondence"
    finish(begin(inputs, tmp_path / "run", stage, runtime={"nodes": 2}))
    assert "--nodes=2 --ntasks=2 --ntasks-per-node=1" in (tmp_path / "run/srun.words").read_text()
    assert record(tmp_path / "run", stage)["processes"] == 2
    assert_alike(tmp_path / "run", one(stage), beginning(inputs, stage))


def test_nodes_without_slurm(inputs, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    errors = finish(begin(inputs, tmp_path / "run", "pretrain_correspondence", runtime={"nodes": 2}), 2)
    assert "runtime.nodes is 2, but there is no srun here" in errors and "Traceback" not in errors


def test_stopped_with_two_processes_and_resumed_with_one(inputs, tmp_path):
    stage, epochs = "pretrain_correspondence", 12
    process = begin(inputs, tmp_path / "run", stage, runtime={"processes": 2}, epochs=epochs)
    while not list((tmp_path / "run/checkpoints").glob("*.pt")):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert "run the same command again" in finish(process, 75)
    step = max(int(path.stem.removeprefix("step-")) for path in (tmp_path / "run/checkpoints").glob("*.pt"))
    assert 0 < step < 2 * epochs
    state = torch.load(tmp_path / f"run/checkpoints/step-{step:08d}.pt", weights_only=True)
    assert [row["step"] for row in state["rows"]] == list(range(1, step + 1))
    assert by_one(inputs, tmp_path / "run", stage, epochs=epochs)["resumed_after"] == step
    assert [row["step"] for row in rows(tmp_path / "run")] == list(range(1, 2 * epochs + 1))


def test_a_batch_that_cannot_be_divided_is_said_once(inputs, tmp_path):
    process = begin(inputs, tmp_path / "run", "pretrain_correspondence", runtime={"processes": 2}, batch=5)
    errors = finish(process, 2)
    assert errors.count("a batch of 5 cannot be divided evenly among 2 processes") == 1
    assert "Traceback" not in errors and not (tmp_path / "run/weights").exists()


def test_a_process_that_dies_ends_the_run(inputs, tmp_path):
    process = begin(inputs, tmp_path / "run", "pretrain_correspondence", runtime={"processes": 2}, epochs=1000)
    while not list((tmp_path / "run/checkpoints").glob("*.pt")):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert len(children) == 2
    os.kill(int(children[1]), signal.SIGKILL)
    errors = finish(process, 137)
    assert "process 1 of 2 ended with status 137" in errors
    assert not Path(f"/proc/{children[0]}").exists()
