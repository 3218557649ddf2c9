"""Experiments of `dvc exp`, read back and put together."""

import json
import subprocess

import pytest

from maskvos.errors import UserError
from maskvos.report import experiments
from maskvos.report.experiments import parse_experiments, read_experiments, together


def state(name, settings, figures, **extra):
    metrics = {
        f"artifacts/evaluation/{chosen}/{row}/metrics.json": {
            "data": {"protocol": "x", "objects": {str(k): {"J_mean": j, "F_mean": f} for k, (j, f) in enumerate(pairs)}}
        }
        for (chosen, row), pairs in figures.items()
    }
    missing = {"artifacts/evaluation/davis/copy/metrics.json": {"error": {"type": "FileNotFoundError", "msg": ""}}}
    params = {"params.yaml": {"data": settings}}
    return {"revs": [{"name": name, "data": {"params": params, "metrics": {**metrics, **missing}}, **extra}]}


def listed(*states):
    baseline = {"rev": "0" * 40, "name": "main", "experiments": list(states)}
    return json.dumps([{"rev": "workspace", "experiments": None}, baseline])


SETTINGS = {"seed": 0, "versions": {"segment": 1}, "correspondence": {"epochs": 80, "cropping": {"crop": 96}}}


def test_settings_are_dotted_and_figures_are_by_set_and_row():
    found = parse_experiments(listed(state("a", SETTINGS, {("davis", "full"): [(0.5, 0.25)]})))
    assert list(found) == ["a"]
    assert found["a"].settings == {"seed": 0, "correspondence.epochs": 80, "correspondence.cropping.crop": 96}
    assert found["a"].figures == {("davis", "full"): {"0": {"J_mean": 0.5, "F_mean": 0.25}}}


def test_what_runs_still_or_was_not_scored_is_left_out():
    running = {"revs": [{"name": "b", "data": None}]}
    assert parse_experiments(listed(running, state("c", SETTINGS, {}))) == {}


def test_seeds_of_one_setting_come_together_and_nothing_else():
    one = {("davis", "full"): [(0.5, 0.5)]}
    runs = [
        state("a-0", SETTINGS, one),
        state("a-1", SETTINGS | {"seed": 1, "versions": {"segment": 2}}, one),
        state("b", SETTINGS | {"correspondence": {"epochs": 81, "cropping": {"crop": 96}}}, one),
    ]
    groups = together(list(parse_experiments(listed(*runs)).values()))
    assert [[run.name for run in group] for group in groups] == [["a-0", "a-1"], ["b"]]


def answer(monkeypatch, status, out="", err=""):
    done = subprocess.CompletedProcess([], status, out, err)
    monkeypatch.setattr(experiments.subprocess, "run", lambda *_, **__: done)


def test_experiments_come_in_the_order_they_are_named(monkeypatch):
    one = {("davis", "full"): [(0.5, 0.5)]}
    answer(monkeypatch, 0, listed(state("b", SETTINGS, one), state("a", SETTINGS, one)))
    assert [run.name for run in read_experiments([])] == ["a", "b"]
    assert [run.name for run in read_experiments(["b", "a"])] == ["b", "a"]
    with pytest.raises(UserError, match=r"no finished experiment c\. Done are: a, b; `dvc queue status`"):
        read_experiments(["a", "c"])


def test_what_dvc_says_is_passed_on(monkeypatch):
    answer(monkeypatch, 255, err="ERROR: you are not inside of a DVC repository")
    with pytest.raises(UserError, match="not inside of a DVC repository"):
        read_experiments([])
