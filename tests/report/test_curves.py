"""Panels: rounds joined, series thinned, statistics by round."""

import json

import numpy as np
import pytest

from maskvos.report.curves import clustering_panels, curve_groups, join_rounds, thin, training_panels
from maskvos.report.records import round_folders
from tests.report.tree import add_leftovers, make_params, make_tree, write_curves


def test_rounds_that_start_again_are_moved_behind_the_one_before():
    rounds = [{"step": np.array([5.0, 10]), "loss": np.array([3.0, 2])}] * 3
    joined, starts = join_rounds(rounds)
    np.testing.assert_array_equal(joined["step"], [5, 10, 15, 20, 25, 30])
    np.testing.assert_array_equal(joined["loss"], [3, 2, 3, 2, 3, 2])
    assert starts == (10, 20)


def test_rounds_that_count_on_are_kept_and_missing_columns_are_nan():
    first, second = {"step": np.array([5.0, 10])}, {"step": np.array([15.0]), "loss": np.array([1.0])}
    joined, starts = join_rounds([first, {}, second])
    np.testing.assert_array_equal(joined["step"], [5, 10, 15])
    np.testing.assert_array_equal(joined["loss"], [np.nan, np.nan, 1])
    assert starts == (10,)


def test_nothing_to_join():
    assert join_rounds([{}, {"step": np.array([])}]) == ({}, ())


@pytest.mark.parametrize("count", [3, 10, 11, 997])
def test_thinning_keeps_the_mean_over_equal_groups(count):
    x, y = np.arange(count, dtype=float), np.random.default_rng(0).normal(size=count)
    few_x, few_y = thin(x, y, 10)
    assert len(few_x) == len(few_y) == min(count, 10)
    if count <= 10:
        np.testing.assert_array_equal(few_y, y)
    else:
        sizes = [len(part) for part in np.array_split(x, 10)]
        assert np.dot(few_y, sizes) == pytest.approx(y.sum())


def test_thinning_drops_what_is_not_finite():
    x, y = thin(np.arange(4.0), np.array([1, np.nan, np.inf, 2]))
    np.testing.assert_array_equal(x, [0, 3])
    np.testing.assert_array_equal(y, [1, 2])


def test_the_loss_comes_first_and_the_learning_rate_last():
    curves = {name: np.ones(3) for name in ("step", "epoch", "learning_rate", "short_term", "loss")}
    curves["unused"] = np.full(3, np.nan)
    assert [panel.title for panel in training_panels(curves)] == ["loss", "short term", "learning rate"]
    assert training_panels({}) == []


def test_each_regimes_loss_has_a_panel_under_its_name(tmp_path):
    """Also where the rounds of one experiment are joined with those of another, and where no step was made."""
    artifacts, _ = make_tree(tmp_path)
    write_curves(artifacts / "correspondence/curves.csv", ("learning_rate", "loss", "photometric"))
    write_curves(artifacts / "rounds/1/curves.csv", ("learning_rate", "loss", "segmentation", "cycle"))
    _, correspondence, segmentation, _ = curve_groups(artifacts, make_params().plan)
    assert [panel.title for panel in correspondence.panels] == ["loss", "photometric", "learning rate"]
    titles = [panel.title for panel in segmentation.panels]
    assert titles == ["loss", "segmentation", "short", "long", "cycle", "learning rate"]
    (artifacts / "correspondence/curves.csv").write_text("step\n")
    assert curve_groups(artifacts, make_params().plan)[1].panels == []


def test_clustering_by_round(tmp_path):
    artifacts, _ = make_tree(tmp_path)
    panels = {panel.title: panel for panel in clustering_panels(round_folders(artifacts, make_params().plan))}
    np.testing.assert_array_equal(panels["clusters kept a clip"].x, [0, 1])
    np.testing.assert_array_equal(panels["clusters kept a clip"].y, [4, 3])
    np.testing.assert_array_equal(panels["cluster sizes, last round"].y, [0.7, 0.7, 0.3, 0.3])
    assert "agreement with the round before" not in panels  # none was recorded


def test_what_tells_of_collapse_has_its_panels(tmp_path):
    curves = {name: np.ones(3) for name in ("step", "loss", "information", "similarity", "effective_rank")}
    assert [panel.title for panel in training_panels(curves)][1:] == ["information", "similarity", "effective rank"]
    artifacts, _ = make_tree(tmp_path)
    for number in (0, 1):
        path = artifacts / f"rounds/{number}/clustering.json"
        content = json.loads(path.read_text())
        content["summary"]["clips_with_one_cluster"] = number
        path.write_text(json.dumps(content))
    panels = {panel.title: panel for panel in clustering_panels(round_folders(artifacts, make_params().plan))}
    np.testing.assert_array_equal(panels["clips with one cluster"].y, [0, 1])


def test_groups_without_files_are_empty(tmp_path):
    assert [group.panels for group in curve_groups(tmp_path, make_params().plan)] == [[], [], [], []]


def test_rounds_of_an_earlier_experiment_are_not_drawn(tmp_path):
    artifacts, _ = make_tree(tmp_path)
    add_leftovers(artifacts)
    segmentation = curve_groups(artifacts, make_params().plan)[2]
    assert segmentation.panels[0].boundaries == (20,)  # two rounds of 20 steps
