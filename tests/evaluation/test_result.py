import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from maskvos.errors import UserError
from maskvos.evaluation.faults import Faults
from maskvos.evaluation.result import Result, write_metrics, write_objects, write_result
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


def test_inputs_and_forgiven_faults_are_written_where_there_are_any(tmp_path: Path):
    faults = Faults(lenient=True)
    assert make_result().with_faults(Faults()).forgiven is None
    faults.add("b", ["00007"], "no such frame")
    result = replace(make_result().with_faults(faults), inputs={"predictions": "somewhere"})
    write_metrics(result, tmp_path / "metrics.json")
    content = json.loads((tmp_path / "metrics.json").read_text())
    assert content["forgiven"] == [{"sequence": "b", "frames": ["00007"], "fault": "no such frame"}]
    assert content["inputs"] == {"predictions": "somewhere"}
    write_metrics(make_result().with_faults(Faults(lenient=True)), tmp_path / "metrics.json")
    assert json.loads((tmp_path / "metrics.json").read_text())["forgiven"] == []


def test_both_files_or_neither(tmp_path: Path):
    write_result(make_result(), tmp_path / "a" / "metrics.json", tmp_path / "b" / "objects.csv")
    write_metrics(make_result(), tmp_path / "metrics.json")
    assert (tmp_path / "a" / "metrics.json").read_bytes() == (tmp_path / "metrics.json").read_bytes()
    assert (tmp_path / "b" / "objects.csv").read_text().startswith("object,")
    (tmp_path / "old.json").write_text("old")
    (tmp_path / "folder.csv").mkdir()
    for name in ("old.json", "metrics.json/objects.csv", "folder.csv"):
        with pytest.raises(UserError, match=name):
            write_result(make_result(), tmp_path / "old.json", tmp_path / name)
    assert (tmp_path / "old.json").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "folder.csv", "metrics.json", "old.json"]


def test_same_result_gives_the_same_bytes(tmp_path: Path):
    for name in ("one", "two"):
        write_metrics(make_result(), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
