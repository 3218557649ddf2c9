"""Experiments of `dvc exp`, read back and put together."""

import itertools
import json
import subprocess

import pytest

from maskvos.errors import UserError
from maskvos.report.experiments import parse_experiments, read_experiments, started_from, together


def state(name, settings, figures, executor=None):
    metrics = {
        f"artifacts/evaluation/{chosen}/{row}/metrics.json": {
            "data": {"protocol": "x", "objects": {str(k): {"J_mean": j, "F_mean": f} for k, (j, f) in enumerate(pairs)}}
        }
        for (chosen, row), pairs in figures.items()
    }
    missing = {"artifacts/evaluation/davis/copy/metrics.json": {"error": {"type": "FileNotFoundError", "msg": ""}}}
    params = {"params.yaml": {"data": settings}}
    return {
        "revs": [{"name": name, "data": {"params": params, "metrics": {**metrics, **missing}}}],
        "executor": executor,
    }


def listed(*states, timestamp=None):
    data = {"timestamp": timestamp} if timestamp else None
    baseline = {"rev": "0" * 40, "name": "main", "data": data, "experiments": list(states)}
    return json.dumps([{"rev": "workspace", "experiments": None}, baseline])


SETTINGS = {
    "seed": 0,
    "versions": {"segment": 1, "report": 1},
    "correspondence": {"epochs": 80, "cropping": {"crop": 96}},
    "evaluation": {"rows": ["copy", "full"]},
}


def test_settings_are_dotted_and_figures_are_by_set_and_row():
    found = parse_experiments(listed(state("a", SETTINGS, {("davis", "full"): [(0.5, 0.25)]})))
    assert list(found) == ["a"]
    settings = {"seed": 0, "versions.segment": 1, "correspondence.epochs": 80, "correspondence.cropping.crop": 96}
    assert found["a"].settings == settings
    assert found["a"].figures == {("davis", "full"): {"0": {"J_mean": 0.5, "F_mean": 0.25}}}


ONE = {("davis", "full"): [(0.5, 0.5)]}


@pytest.mark.parametrize("word", ["running", "queued", "failed"])
def test_what_is_not_finished_is_left_out_though_dvc_shows_the_figures_of_the_run_before(word):
    assert parse_experiments(listed(state("a", SETTINGS, ONE, {"state": word}))) == {}
    assert list(parse_experiments(listed(state("a", SETTINGS, ONE, {"state": "success"})))) == ["a"]


def test_what_was_not_scored_or_not_asked_for_is_left_out():
    assert parse_experiments(listed({"revs": [{"name": "b", "data": None}]}, state("c", SETTINGS, {}))) == {}
    figures = ONE | {("davis", "correspondence"): [(0.1, 0.1)]}
    found = parse_experiments(listed(state("a", SETTINGS, figures)))
    assert list(found["a"].figures) == [("davis", "full")]


def test_of_one_name_on_two_commits_the_newest_counts():
    dates = {0.9: "2026-11-27T16:00:00", 0.1: "2026-09-30T18:00:00", 0.2: "2025-12-31T18:00:00"}
    lists = [
        json.loads(listed(state("a", SETTINGS, {("davis", "full"): [(j, j)]}), timestamp=date))
        for j, date in dates.items()
    ]
    for order in itertools.permutations(lists):
        found = parse_experiments(json.dumps([*itertools.chain.from_iterable(order)]))
        assert found["a"].figures[("davis", "full")]["0"]["J_mean"] == 0.9


def test_the_commits_that_experiments_were_started_from(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert started_from() == []  # no repository: DVC says so itself
    who = ["-c", "user.name=x", "-c", "user.email=x@x"]
    for command in (["init", "-q"], [*who, "commit", "-q", "--allow-empty", "-m", "x"]):
        subprocess.run(["git", *command], check=True)
    assert started_from() == []
    subprocess.run(["git", *who, "commit", "-q", "--allow-empty", "-m", "y"], check=True)
    listing = subprocess.run(["git", "rev-list", "--all"], check=True, capture_output=True, text=True).stdout
    one, other = sorted(listing.split())
    absent = "ff" + "2" * 38  # as in a shallow clone; DVC would refuse the whole list
    for commit, name in ((other, "a"), (one, "b"), (one, "c/d"), (absent, "e")):
        subprocess.run(["git", "update-ref", f"refs/exps/{commit[:2]}/{commit[2:]}/{name}", "HEAD"], check=True)
    subprocess.run(["git", "update-ref", "refs/exps/exec/EXEC_HEAD", "HEAD"], check=True)
    assert started_from() == [one, other]
    monkeypatch.setenv("PATH", "")
    assert started_from() == []


def test_seeds_of_one_setting_come_together_and_nothing_else():
    same = {"seed": 1.0, "correspondence": {"epochs": 80.0, "cropping": {"crop": 96}}}
    runs = [
        state("a-0", SETTINGS, ONE),
        state("a-1", SETTINGS | same | {"versions": {"segment": 1, "report": 2}}, ONE),
        state("b", SETTINGS | {"correspondence": {"epochs": 81, "cropping": {"crop": 96}}}, ONE),
        state("c", SETTINGS | {"versions": {"segment": 2}}, ONE),  # other code
    ]
    groups = together(list(parse_experiments(listed(*runs)).values()))
    assert [[run.name for run in group] for group in groups] == [["a-0", "a-1"], ["b"], ["c"]]


def test_a_seed_of_today_belongs_to_a_run_from_before_a_setting_came():
    before = {"inference": {"radius": 12}}
    today = {"seed": 1, "inference": {"radius": 12, "first_radius": None, "rescale_limit": 1.0}}
    other = {"seed": 2, "inference": {"radius": 12, "first_radius": 24, "rescale_limit": 1.0}}
    runs = [state(name, SETTINGS | given, ONE) for name, given in (("a", before), ("b", today), ("c", other))]
    groups = together(list(parse_experiments(listed(*runs)).values()))
    assert [[run.name for run in group] for group in groups] == [["a", "b"], ["c"]]


def answer(monkeypatch, status, out="", err=""):
    done = subprocess.CompletedProcess([], status, out, err)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)


def test_experiments_come_in_the_order_they_are_named(monkeypatch):
    answer(monkeypatch, 0, listed(state("b", SETTINGS, ONE), state("a", SETTINGS, ONE)))
    assert [run.name for run in read_experiments([])] == ["a", "b"]
    assert [run.name for run in read_experiments(["b", "a", "b"])] == ["b", "a"]
    with pytest.raises(UserError, match=r"no finished experiment c\. Done are: a, b; `dvc queue status`"):
        read_experiments(["a", "c"])


def test_what_dvc_says_is_passed_on(monkeypatch):
    answer(monkeypatch, 255, err="ERROR: you are not inside of a DVC repository")
    with pytest.raises(UserError, match="not inside of a DVC repository"):
        read_experiments([])
