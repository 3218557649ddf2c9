"""The lists of experiments: settings that exist, commands that name what is measured."""

import argparse
from pathlib import Path

import pytest
import yaml

from benchmarks import study
from maskvos.composition import compose

ROOT = Path(__file__).parents[2]
LISTS = {name: yaml.safe_load(path.read_text()) for name, path in study.LISTS.items()}
FOLDERS = {"whole": ["whole/davis", "whole/multi"], "first": ["first/davis", "first/multi"]}


def command(chosen: str, name: str) -> list[str]:
    return study.queue_command(name, LISTS[chosen]["experiments"][name], LISTS[chosen]["base"], FOLDERS)


def overrides(parts: list[str]) -> list[str]:
    return [parts[index + 1] for index, part in enumerate(parts) if part == "--set-param"]


@pytest.mark.parametrize("chosen", LISTS)
def test_every_experiment_is_another_one_and_its_settings_and_targets_exist(chosen):
    seen = {}
    for name in LISTS[chosen]["experiments"]:
        parts = command(chosen, name)
        content = compose(ROOT, [*overrides(parts), "data.train.path=train"])
        assert str(content) not in seen, f"{name} is {seen.get(str(content))} again"
        seen[str(content)] = name
        for target in parts[-2:]:
            stage, item = target.split("@")
            assert item in content["plan"]["baselines" if stage == "evaluate_baseline" else "models"], target


def test_a_command_names_sets_row_and_targets():
    parts = command("study", "st-position-1")
    assert parts[:6] == ["dvc", "exp", "run", "--queue", "--name", "st-position-1"]
    assert {"data.evaluation.davis.path=first/davis", "evaluation.rows=[full]"} <= set(parts)
    assert "clustering.position_weight=1.0" in parts
    assert parts[-2:] == ["evaluate_model@davis-full", "evaluate_model@multi-full"]


def test_a_row_without_weights_has_another_stage():
    assert command("results", "copy")[-2:] == ["evaluate_baseline@davis-copy", "evaluate_baseline@multi-copy"]


def test_an_experiment_on_first_frames_is_never_measured_on_whole_sequences():
    args = argparse.Namespace(names=["t4a-both-s0", "st-both"], set=[], whole=FOLDERS["whole"], first=None)
    with pytest.raises(SystemExit, match="--first is needed by st-both:"):
        study.queue(args, LISTS["study"])
