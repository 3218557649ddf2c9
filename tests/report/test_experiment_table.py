"""`maskvos table --experiments`: means over objects and seeds, and what is different."""

import pytest

from maskvos.report.experiment_table import SETTINGS, experiment_table
from maskvos.report.experiments import Experiment


def figures(*pairs):
    return {str(number): {"J_mean": j, "F_mean": f} for number, (j, f) in enumerate(pairs)}


def experiment(name, settings, **sets):
    return Experiment(name, settings, {(chosen, "full"): figures(*pairs) for chosen, pairs in sets.items()})


def lines(*experiments):
    table = experiment_table(list(experiments))
    found = [
        dict(zip(table.columns, [line.label, *(cell.text for cell in line.cells)], strict=True)) for line in table.lines
    ]
    return {line["experiment"]: line for line in found}


def test_means_are_over_the_objects_of_all_sets():
    found = lines(experiment("a", {"seed": 3}, davis=[(0.1, 0.2)], multi=[(0.5, 0.5), (0.9, 0.2)]))["a"]
    assert (found["J"], found["F"], found["J&F"]) == ("50.0", "30.0", "40.0")
    assert (found["davis J&F"], found["multi J&F"]) == ("15.0", "52.5")
    assert (found["row"], found["seeds"], found[SETTINGS]) == ("full", "3", "–")


def test_seeds_give_mean_and_sample_standard_deviation():
    runs = [experiment(f"a-{seed}", {"seed": seed}, davis=[(0.4 + seed / 10, 0.5)]) for seed in range(3)]
    found = lines(*runs)
    assert list(found) == ["a-0"]
    assert found["a-0"]["seeds"] == "0, 1, 2"
    assert found["a-0"]["J"] == "50.0 ± 10.0"  # 40, 50, 60
    assert found["a-0"]["J&F"] == "50.0 ± 5.0"


def test_the_same_seed_twice_is_no_spread():
    settings = [("a", 10, 0.5), ("b", 2, 0.7), ("c", 10, 0.1)]
    found = lines(*(experiment(name, {"seed": seed}, davis=[(j, j)]) for name, seed, j in settings))["b"]
    assert found["seeds"] == "2, 10" and found["J&F"] == "60.0 ± 14.1"


def test_a_set_that_is_not_measured_leaves_no_mean_over_all():
    found = lines(
        experiment("a", {"x": 1}, davis=[(0.5, 0.5)]), experiment("b", {"x": 2}, davis=[(0.5, 0.5)], multi=[(0, 0)])
    )
    assert found["a"]["J&F"] == found["a"]["multi J&F"] == "–"
    assert found["a"]["davis J&F"] == "50.0" and found["b"]["J&F"] == "25.0"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_settings_that_most_do_not_have_are_named(order):
    folder = "data.evaluation.davis.path"
    settings = [("a", 0.1, [1, 2], "/x/davis"), ("b", 0.1, [1, 2], "/y/davis20"), ("c", 0.2, [1, 3], "/x/davis")]
    runs = [
        experiment(name, {"same": 1, "rate": rate, "list": numbers, folder: path}, davis=[(0, 0)])
        for name, rate, numbers, path in settings
    ]
    found = lines(*(runs[place] for place in order))
    assert found["a"][SETTINGS] == "–"
    assert found["b"][SETTINGS] == "data.evaluation.davis.path=davis20"
    assert found["c"][SETTINGS] == "rate=0.2 list=[1, 3]"


def test_no_number_loses_a_digit():
    found = lines(
        experiment("a", {"seed": 20240101.0, "steps": 1234567.0}, davis=[(0.5, 0.5)]),
        experiment("b", {"seed": 20240102, "steps": 1234568.0, "rate": 0.1}, davis=[(0.5, 0.5)]),
    )
    assert (found["a"]["seeds"], found["b"]["seeds"]) == ("20240101", "20240102")
    assert "steps=1234568" in found["b"][SETTINGS] or "steps=1234567" in found["a"][SETTINGS]
    assert "e+" not in found["a"][SETTINGS] + found["b"][SETTINGS]
