"""Stages, times and settings."""

import pytest

from maskvos.report.run import StageRun, duration, hardware, read_stage_runs, revisions, settings, total_time
from tests.report.tree import make_params, make_tree


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "not recorded"),
        (0.04, "0.0 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (3599.7, "1 h 00 min"),
        (7625, "2 h 07 min"),
    ],
)
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_every_planned_stage_in_order_with_its_record(tmp_path):
    _, logs = make_tree(tmp_path)
    runs = {stage.name: stage for stage in read_stage_runs(make_params(), logs)}
    assert list(runs) == [
        "fetch-train",
        "fetch-davis",
        "prepare",
        "pretrain_backbone",
        "pretrain_correspondence",
        "recluster-0",
        "segment-0",
        "recluster-1",
        "segment-1",
        *(f"evaluate-davis-{row}" for row in ("copy", "lab", "untrained", "correspondence", "full")),
    ]
    assert runs["prepare"].time == "12 s"
    assert runs["prepare"].hardware == "Some CPU, 2 cores"
    assert runs["pretrain_correspondence"].rate == "4.57 steps/s"
    assert runs["pretrain_correspondence"].facts == "steps 17000"
    assert runs["segment-1"].time == "not recorded"


def test_totals(tmp_path):
    _, logs = make_tree(tmp_path)
    runs = read_stage_runs(make_params(), logs)
    assert total_time(runs) == "1 h 02 min (+ 12 not recorded)"
    assert hardware(runs) == ["Some CPU, 2 cores"]
    assert total_time([]) == "not recorded"
    assert hardware([]) == ["not recorded"]


def test_settings_hold_every_section_and_no_absolute_path():
    params = make_params()
    train = params.data.train.model_copy(update={"path": "/home/someone/videos"})
    params = params.model_copy(update={"data": params.data.model_copy(update={"train": train})})
    found = settings(params)
    assert set(found) == {"experiment", *(k for k, v in params.model_dump(exclude={"plan"}).items() if type(v) is dict)}
    assert "seed: 0" in found["experiment"]
    assert "someone" not in found["data"]
    assert ".../videos" in found["data"]


def test_commits_of_the_stages_not_of_the_page():
    runs = [StageRun("a", 1.0, revision="x, tree as committed"), StageRun("b", 1.0, revision="")]
    assert revisions([*runs[:1], StageRun("absent")]) == "x, tree as committed"
    assert revisions(runs) == "x, tree as committed (1 of the stages); commit not recorded (1 of the stages)"
    assert revisions([StageRun("absent")]) == "not recorded"
