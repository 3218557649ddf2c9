"""The study's experiments: settings that exist, commands that name what is measured, tables from DVC's figures."""

from pathlib import Path

import pytest
import yaml

from benchmarks import study
from maskvos.composition import compose

ROOT = Path(__file__).parents[2]
STUDY = yaml.safe_load(study.STUDY.read_text())
FOLDERS = {"whole": ["whole/davis", "whole/multi"], "first": ["first/davis", "first/multi"]}


def command(name: str) -> list[str]:
    return study.queue_command(name, STUDY["experiments"][name], STUDY["base"], FOLDERS)


def overrides(name: str) -> list[str]:
    parts = command(name)
    return [parts[index + 1] for index, part in enumerate(parts) if part == "--set-param"]


def test_every_experiment_is_another_one_and_its_settings_exist():
    seen = {}
    for name in STUDY["experiments"]:
        content = compose(ROOT, [*overrides(name), "data.train.path=train"])
        assert str(content) not in seen, f"{name} is {seen.get(str(content))} again"
        seen[str(content)] = name


def test_a_command_names_sets_row_and_targets():
    parts = command("st-position-1")
    assert parts[:6] == ["dvc", "exp", "run", "--queue", "--name", "st-position-1"]
    assert {"data.evaluation.davis.path=first/davis", "evaluation.rows=[full]"} <= set(parts)
    assert "clustering.position_weight=1.0" in parts
    assert parts[-2:] == ["evaluate_model@davis-full", "evaluate_model@multi-full"]


def test_figures_are_means_over_the_objects_of_all_sets():
    def content(*objects: tuple[float, float]) -> dict:
        return {"objects": {str(index): {"J_mean": j, "F_mean": f} for index, (j, f) in enumerate(objects)}}

    path = "artifacts/evaluation/{}/full/metrics.json"
    metrics = {path.format("davis"): content((0.1, 0.2)), path.format("multi"): content((0.5, 0.5), (0.9, 0.2))}
    assert study.figures(metrics, "full", ("davis", "multi")) == pytest.approx((50.0, 30.0))
    assert study.figures(metrics, "full", ("multi",)) == pytest.approx((70.0, 35.0))
    assert study.figures(metrics, "correspondence", ("multi",)) is None
