"""The DAVIS protocol with `--lenient`: what the official evaluator passes over, each fault said."""

import re
from pathlib import Path

import numpy as np
import pytest

from maskvos.errors import UserError
from maskvos.evaluation.davis import evaluate_davis
from maskvos.storage.masks import write_mask
from tests.evaluation.masks import make_dataset, write_sequence
from tests.evaluation.mistakes import MISTAKES


@pytest.mark.parametrize("frame", ["00000", "00004"])
@pytest.mark.parametrize("mistake", [name for name in MISTAKES if name != "missing"])
def test_lenient_does_not_look_at_the_first_and_last_prediction(pair: tuple[Path, Path], mistake: str, frame: str):
    spoil, message = MISTAKES[mistake]
    spoil(pair[1] / "clip" / f"{frame}.png")
    result = evaluate_davis(*pair, lenient=True)
    assert result.scores == evaluate_davis(pair[0], pair[0] / "Annotations" / "480p").scores
    (fault,) = result.forgiven
    assert (fault.sequence, fault.frames) == ("clip", (frame,))
    assert re.search(message, fault.message)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_lenient_stops_where_the_official_tool_does(pair: tuple[Path, Path], mistake: str):
    spoil, message = MISTAKES[mistake]
    spoil(pair[1] / "clip" / "00002.png")
    with pytest.raises(UserError, match=message):
        evaluate_davis(*pair, lenient=True)


def test_lenient_scores_ids_in_a_gap(tmp_path: Path):
    """The official evaluator scores 1 to the highest id: a predicted id that is between counts against object 2."""
    mask = np.zeros((8, 10), np.uint8)
    mask[1:3, 1:4], mask[5:7, 5:8] = 1, 3
    root = make_dataset(tmp_path / "root", {"gap": [mask] * 4})
    predicted = [mask.copy() for _ in range(4)]
    predicted[1][0, 9] = 2
    write_sequence(tmp_path / "predictions" / "gap", predicted)
    with pytest.raises(UserError, match="frame 00001 holds id 2, the sequence has 1, 3"):
        evaluate_davis(root, tmp_path / "predictions")
    result = evaluate_davis(root, tmp_path / "predictions", lenient=True)
    assert {name: scores["J_mean"] for name, scores in result.objects.items()} == {"gap_1": 1, "gap_2": 0.5, "gap_3": 1}
    assert [(fault.sequence, fault.frames) for fault in result.forgiven] == [("gap", ("00001",))]


@pytest.mark.parametrize("count", [1, 2])
def test_sequences_too_short_are_an_error_or_left_out_and_said(tmp_path: Path, count: int):
    mask = np.eye(6, dtype=np.uint8)
    root = make_dataset(tmp_path / "root", {"short": [mask] * count, "long": [mask] * 3})
    predictions = root / "Annotations" / "480p"
    with pytest.raises(UserError, match=f"sequence short has {count} annotated frames"):
        evaluate_davis(root, predictions)
    result = evaluate_davis(root, predictions, lenient=True)
    assert list(result.objects) == ["long_1"]
    assert [fault.sequence for fault in result.forgiven] == ["short"]
    with pytest.raises(UserError, match="nothing to score"):
        evaluate_davis(root, predictions, lenient=True, sequences=["short"])


def test_a_first_annotation_without_an_object_gives_no_figure_if_forgiven(tmp_path: Path):
    empty, mask = np.zeros((6, 6), np.uint8), np.eye(6, dtype=np.uint8)
    root = make_dataset(tmp_path / "root", {"empty": [empty, mask, mask], "clip": [mask] * 3})
    write_sequence(tmp_path / "predictions" / "empty", [empty] * 3)
    write_sequence(tmp_path / "predictions" / "clip", [mask] * 3)
    with pytest.raises(UserError, match="no object in the first annotation of sequence empty, frame 00000"):
        evaluate_davis(root, tmp_path / "predictions")
    assert list(evaluate_davis(root, tmp_path / "predictions", lenient=True).objects) == ["clip_1"]
    write_mask(tmp_path / "predictions" / "empty" / "00001.png", mask)  # the official evaluator: an index too high
    with pytest.raises(UserError, match="sequence empty, frame 00001 holds id 1"):
        evaluate_davis(root, tmp_path / "predictions", lenient=True)
