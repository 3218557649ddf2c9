"""The files of an evaluation: scores where there is ground truth, and where there is none a word on that."""

import json

import numpy as np
import pytest

from maskvos.datasets.sequences import open_layout
from maskvos.errors import UserError
from maskvos.evaluation.row_scores import score_predictions
from tests.evaluation.masks import make_dataset, write_sequence


@pytest.fixture
def scene(tmp_path):
    """Predictions that are the truth, of one sequence of four frames with one object."""
    masks = [np.zeros((16, 20), np.uint8) for _ in range(4)]
    for index, mask in enumerate(masks):
        mask[4:10, 3 + index : 9 + index] = 1
    root = make_dataset(tmp_path / "truth", {"one": masks})
    write_sequence(root / "JPEGImages/480p/one", masks)
    write_sequence(tmp_path / "predictions/one", masks)
    return tmp_path


def scored(scene):
    root = scene / "truth"
    manifest = {"layout": "davis", "root": str(root), "split": "val", "sequences": [{"name": "one", "frames": 4}]}
    paths = scene / "metrics.json", scene / "objects.csv"
    score_predictions(manifest, open_layout("davis", root, "val"), scene / "predictions", ("set", "row"), *paths)
    return json.loads(paths[0].read_text()), paths[1].read_text().splitlines()


def test_scores_bear_the_names_of_set_and_row(scene):
    metrics, table = scored(scene)
    assert (metrics["set"], metrics["row"], metrics["global"]["J&F_mean"]) == ("set", "row", 1.0)
    assert table[0].startswith("object,J_mean") and table[1].startswith("one_1,1.0")


def test_without_ground_truth_there_are_no_numbers(scene):
    for path in sorted((scene / "truth/Annotations/480p/one").iterdir())[1:]:
        path.unlink()
    metrics, table = scored(scene)
    assert "no ground truth" in metrics["protocol"] and metrics["global"] == {}
    assert (metrics["set"], metrics["row"]) == ("set", "row") and len(table) == 1


def test_a_missing_prediction_writes_nothing(scene):
    (scene / "predictions/one/00002.png").unlink()
    with pytest.raises(UserError, match="00002"):
        scored(scene)
    assert not (scene / "metrics.json").exists() and not (scene / "objects.csv").exists()
