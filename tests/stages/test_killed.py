"""SIGKILL at random moments, many times, then run again: the artifacts are those of a run without a break."""

import os
import random
import signal
import time
from pathlib import Path

import pytest
import yaml

from maskvos.params.plan import derive_plan
from tests.inference.stubs import moving_square
from tests.stages.inputs import write_davis, write_inputs
from tests.tiny import BACKBONE, CORRESPONDENCE, NETWORKS, RUNTIME, write_params
from tests.zygote import Zygote

ROOT = Path(__file__).parents[2]
KILLS = 5
STEPS = {"log_every": 3, "checkpoint_every": 1}
STAGES = {
    "pretrain_backbone": ["--frames", "frames", "--output", "weights", "--curves", "curves.csv"],
    "pretrain_correspondence": [
        *("--frames", "frames", "--weights", "backbone", "--output", "weights", "--curves", "curves.csv")
    ],
    "recluster": [
        *("--round", "0", "--frames", "frames", "--weights", "encoder"),
        *("--output", "pseudo_masks.safetensors", "--statistics", "clustering.json"),
    ],
    "segment": [
        *("--round", "0", "--frames", "frames", "--weights", "encoder", "--pseudo-masks", "masks.safetensors"),
        *("--output", "weights", "--curves", "curves.csv"),
    ],
    "evaluate": [
        *("--dataset", "davis.json", "--row", "lab", "--predictions", "predictions"),
        *("--metrics", "metrics.json", "--objects", "objects.csv"),
    ],
}
TRAINING = [stage for stage in STAGES if stage not in ("recluster", "evaluate")]


@pytest.fixture(scope="module")
def zygote():
    process = Zygote()
    yield process
    process.close()


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Frames, weights, pseudo masks, an evaluation set and parameters for all five."""
    folder = write_inputs(tmp_path_factory.mktemp("inputs"), clips=4, frames=8)
    write_davis(folder, ["one", "two", "three"], *moving_square(5))
    source = ROOT / "params.yaml"
    content = yaml.safe_load(source.read_text())
    cropping = {"short_side": [40, 48], "crop": 32, "zoom": [0.5, 1.0]}
    sections = {
        "backbone_pretraining": BACKBONE | STEPS | {"epochs": 1},
        "correspondence": CORRESPONDENCE | STEPS | {"epochs": 6},
        "segmentation": content["segmentation"] | STEPS | {"epochs": 6, "batch": 2, "cropping": cropping},
        "clustering": content["clustering"] | {"short_side": 48, "oversize": 0.9},
        "alternate": content["alternate"] | {"rounds": 1},
        "collapse": content["collapse"] | {"action": "warn"},
    }
    runtime = RUNTIME | {"workers": 1}
    plan = derive_plan(content | sections | {"networks": NETWORKS})
    write_params(folder / "params.yaml", source, precision="fp32", plan=plan, **sections)
    params = yaml.safe_load((folder / "params.yaml").read_text()) | {"runtime": runtime}
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    return folder


@pytest.fixture(scope="module")
def whole(zygote, inputs, tmp_path_factory):
    """Stage -> the artifacts of a run without a break, and its seconds; each made once."""
    made = {}

    def find(stage):
        if stage not in made:
            made[stage] = finish(zygote, place(tmp_path_factory.mktemp("whole") / stage, inputs), stage)
        return made[stage]

    return find


def place(folder, inputs):
    """An empty folder with links to the inputs."""
    folder.mkdir()
    for path in inputs.iterdir():
        (folder / path.name).symlink_to(path)
    return folder


def command(stage):
    return f"{stage}.py", ["--params", "params.yaml", *STAGES[stage], "--checkpoints", "checkpoints"]


def finish(zygote, folder, stage):
    """Run to the end; the artifacts' bytes and the seconds it took."""
    started = time.monotonic()
    assert zygote.wait(zygote.start(folder, *command(stage))) == 0, (folder / "printed").read_text()
    outputs = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
    kept = [path for path in outputs if path.relative_to(folder).parts[0] not in ("logs", "printed")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in kept}, time.monotonic() - started


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_killed_at_random_moments(zygote, inputs, whole, tmp_path, stage):
    expected, seconds = whole(stage)
    moments, folder = random.Random(stage), place(tmp_path / "killed", inputs)
    for _ in range(KILLS):
        pid = zygote.start(folder, *command(stage))
        time.sleep(moments.uniform(0, seconds))
        os.kill(pid, signal.SIGKILL)
        status = zygote.wait(pid)
        assert status in (0, -signal.SIGKILL), (folder / "printed").read_text()
        if status == 0:  # the loaded machine of a moment ago made the first run slow
            break
    assert finish(zygote, folder, stage)[0] == expected  # no half-written file beside them either


@pytest.mark.slow
@pytest.mark.parametrize("stage", TRAINING)
def test_killed_within_a_checkpoint_write(zygote, inputs, whole, tmp_path, stage):
    expected, _ = whole(stage)
    folder, caught = place(tmp_path / "killed", inputs), 0
    for _ in range(6 * KILLS):  # on a quick disk a write may be over before the signal arrives
        if caught == 3:
            break
        pid = zygote.start(folder, *command(stage))
        until = time.monotonic() + 60
        while not (partial := list(folder.glob("checkpoints/.step-*"))) and time.monotonic() < until:
            if (folder / "curves.csv").exists():
                break
        os.kill(pid, signal.SIGKILL)
        zygote.wait(pid)
        caught += bool(partial) and bool(list(folder.glob("checkpoints/.step-*")))
    assert caught
    assert finish(zygote, folder, stage)[0] == expected
