import csv
import json
from pathlib import Path

import numpy as np
import pytest

from maskvos.evaluation.result import Result, write_metrics, write_objects
from maskvos.evaluation.statistics import score_object


def make_result(**more: object) -> Result:
    random = np.random.default_rng(0)
    keys = [("b", 1), ("b", 2), ("a", 10)]
    scores = {key: score_object(random.random(6), random.random(6)) for key in keys}
    return Result("test protocol", scores, set="val", row="copy", **more)


def test_metrics_file(tmp_path: Path):
    result = make_result()
    write_metrics(result, tmp_path / "metrics.json")
    content = json.loads((tmp_path / "metrics.json").read_text())
    assert list(content) == ["protocol", "set", "row", "global", "sequences", "objects"]
    assert (content["set"], content["row"]) == ("val", "copy")
    assert list(content["objects"]) == ["b_1", "b_2", "a_10"]
    assert content["objects"]["a_10"] == result.objects["a_10"]
    assert content["sequences"]["b"]["J_mean"] == np.mean(
        [content["objects"][name]["J_mean"] for name in ("b_1", "b_2")]
    )
    assert content["global"]["F_decay"] == np.mean([scores["F_decay"] for scores in content["objects"].values()])


def test_groups_are_written_where_there_are_any(tmp_path: Path):
    result = make_result(groups={"seen": [("b", 1), ("a", 10)], "unseen": [("b", 2)]})
    write_metrics(result, tmp_path / "metrics.json")
    groups = json.loads((tmp_path / "metrics.json").read_text())["groups"]
    assert groups["unseen"]["F_recall"] == result.objects["b_2"]["F_recall"]


def test_overall_needs_both_groups(tmp_path: Path):
    assert make_result(groups={"seen": [("b", 1), ("b", 2), ("a", 10)]}).overall is None
    result = make_result(groups={"seen": [("b", 1), ("a", 10)], "unseen": [("b", 2)]})
    write_metrics(result, tmp_path / "metrics.json")
    content = json.loads((tmp_path / "metrics.json").read_text())
    four = [content["groups"][group][figure] for group in ("seen", "unseen") for figure in ("J_mean", "F_mean")]
    assert content["overall"] == result.overall == pytest.approx(np.mean(four), abs=1e-15)


def test_objects_file_has_the_official_form(tmp_path: Path):
    result = make_result()
    write_objects(result, tmp_path / "objects.csv")
    with (tmp_path / "objects.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["object", "J_mean", "J_recall", "J_decay", "F_mean", "F_recall", "F_decay"]
    assert [row["object"] for row in rows] == ["b_1", "b_2", "a_10", "MEAN"]
    assert rows[1]["J_mean"] == f"{result.objects['b_2']['J_mean']:.8f}"


def test_same_result_gives_the_same_bytes(tmp_path: Path):
    for name in ("one", "two"):
        write_metrics(make_result(), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
