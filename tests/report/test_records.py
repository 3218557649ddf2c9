"""Reading back what the stages left."""

import json

import numpy as np
import pytest

from maskvos.errors import UserError
from maskvos.report.records import read_curves, read_json, read_results, round_folders
from tests.report.tree import ROWS, add_leftovers, make_params, make_tree


def test_results_come_in_the_order_of_the_table(tmp_path):
    artifacts, _ = make_tree(tmp_path)
    results = read_results(artifacts, make_params().plan)
    assert [result.row for result in results["davis"]] == list(ROWS)
    full = results["davis"][-1]
    assert (full.name, full.objects, full.overall["J&F_mean"]) == ("Full method", 3, 0.6)
    assert set(full.sequences) == {"ball", "cart", "dog"}


def test_results_of_an_earlier_experiment_are_not_read(tmp_path):
    artifacts, _ = make_tree(tmp_path)
    before = read_results(artifacts, make_params().plan)
    add_leftovers(artifacts)
    assert read_results(artifacts, make_params().plan) == before


def test_no_evaluation_gives_no_results(tmp_path):
    assert read_results(tmp_path, make_params().plan) == {}


@pytest.mark.parametrize("content", ["{", json.dumps({"global": {}}), "[]"])
def test_damaged_metrics_name_the_file(tmp_path, content):
    path = tmp_path / "evaluation/davis/full/metrics.json"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(UserError, match=r"full/metrics\.json"):
        read_results(tmp_path, make_params().plan)


def test_curves_are_columns_and_empty_cells_are_nan(tmp_path):
    path = tmp_path / "curves.csv"
    path.write_text("step,loss\n1,0.5\n2,\n")
    curves = read_curves(path)
    np.testing.assert_array_equal(curves["step"], [1, 2])
    np.testing.assert_array_equal(curves["loss"], [0.5, np.nan])


def test_curves_without_lines_or_file(tmp_path):
    (tmp_path / "curves.csv").write_text("step,loss\n")
    assert [len(column) for column in read_curves(tmp_path / "curves.csv").values()] == [0, 0]
    assert read_curves(tmp_path / "absent.csv") == {}
    (tmp_path / "empty.csv").write_text("")
    assert read_curves(tmp_path / "empty.csv") == {}


@pytest.mark.parametrize("content", ["step,loss\n1,x\n", "step,loss\n1,2\n3\n"])
def test_damaged_curves_name_the_file(tmp_path, content):
    (tmp_path / "curves.csv").write_text(content)
    with pytest.raises(UserError, match=r"curves\.csv"):
        read_curves(tmp_path / "curves.csv")


def test_planned_rounds_that_exist_are_in_numeric_order(tmp_path):
    for name in ("10", "2", "11", "x"):
        (tmp_path / "rounds" / name).mkdir(parents=True)
    plan = make_params().plan
    plan = plan.model_copy(update={"rounds": dict.fromkeys(map(str, range(11)), plan.rounds["0"])})
    assert [folder.name for folder in round_folders(tmp_path, plan)] == ["2", "10"]


def test_absent_json_is_a_users_error(tmp_path):
    with pytest.raises(UserError, match=r"nothing\.json"):
        read_json(tmp_path / "nothing.json")
