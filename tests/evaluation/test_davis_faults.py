"""The DAVIS protocol: whatever is wrong with predictions or ground truth is one clear error."""

from pathlib import Path

import numpy as np
import pytest

from maskvos.errors import UserError
from maskvos.evaluation.davis import evaluate_davis
from maskvos.storage.masks import write_mask
from tests.evaluation.masks import make_dataset
from tests.evaluation.mistakes import MISTAKES


def test_first_and_last_prediction_are_not_needed(pair: tuple[Path, Path]):
    for frame in ("00000", "00004"):
        (pair[1] / "clip" / f"{frame}.png").unlink()
    assert evaluate_davis(*pair).mean["J&F_mean"] == 1.0


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("processes", [1, 3])
def test_mistakes_are_errors_that_name_sequence_and_frame(pair: tuple[Path, Path], mistake: str, processes: int):
    spoil, message = MISTAKES[mistake]
    spoil(pair[1] / "clip" / "00002.png")
    with pytest.raises(UserError, match=message) as caught:
        evaluate_davis(*pair, processes=processes)
    assert "sequence clip" in str(caught.value)
    assert "frame 00002" in str(caught.value)


@pytest.mark.parametrize("frame", ["00000", "00004"])
@pytest.mark.parametrize("mistake", [name for name in MISTAKES if name != "missing"])
def test_first_and_last_prediction_are_checked_where_they_exist(pair: tuple[Path, Path], mistake: str, frame: str):
    spoil, message = MISTAKES[mistake]
    spoil(pair[1] / "clip" / f"{frame}.png")
    with pytest.raises(UserError, match=message) as caught:
        evaluate_davis(*pair)
    assert f"frame {frame}" in str(caught.value)


def test_first_and_last_prediction_do_not_count(pair: tuple[Path, Path]):
    for frame in ("00000", "00004"):
        write_mask(pair[1] / "clip" / f"{frame}.png", np.zeros((8, 10), np.uint8))
    assert evaluate_davis(*pair).mean["J&F_mean"] == 1.0


@pytest.mark.parametrize(
    ("stray", "message"),
    [("clpi/00000", "sequence clpi is none of this set"), ("clip/00007", "sequence clip has no frame 00007")],
)
def test_what_the_dataset_lacks_is_an_error(pair: tuple[Path, Path], stray: str, message: str):
    write_mask(pair[1] / f"{stray}.png", np.zeros((8, 10), np.uint8))
    with pytest.raises(UserError, match=message + ".*`--lenient` passes over this"):
        evaluate_davis(*pair)
    result = evaluate_davis(*pair, lenient=True)
    assert result.mean["J&F_mean"] == 1.0
    assert [fault.sequence for fault in result.forgiven] == [stray.split("/")[0]]
    assert message in result.forgiven[0].message


def test_what_belongs_to_the_dataset_or_is_hidden_is_no_stranger(pair: tuple[Path, Path]):
    root, predictions = pair
    for name in ("other/00000", ".cache/00000", "clip/.00007", "clip/00005"):
        write_mask(predictions / f"{name}.png", np.zeros((8, 10), np.uint8))
    (predictions / "global_results-val.csv").touch()  # the official evaluator leaves its tables there
    write_mask(root / "Annotations" / "480p" / "other" / "00000.png", np.ones((3, 3), np.uint8))  # of another split
    images = root / "JPEGImages" / "480p" / "clip"
    images.mkdir(parents=True)
    for frame in range(5):
        (images / f"{frame:05d}.jpg").touch()
    with pytest.raises(UserError, match="no frame 00005"):
        evaluate_davis(*pair)
    (predictions / "clip" / "00005.png").unlink()
    assert evaluate_davis(*pair).forgiven is None


def test_missing_sequence_split_and_folder(pair: tuple[Path, Path], tmp_path: Path):
    root, predictions = pair
    with pytest.raises(UserError, match="no such folder of predictions"):
        evaluate_davis(root, tmp_path / "nowhere")
    with pytest.raises(UserError, match="splits here: val"):
        evaluate_davis(root, predictions, "test-dev")
    (predictions / "clip").rename(predictions / "other")
    for lenient in (False, True):
        with pytest.raises(UserError, match="Expected folders of its sequences, clip; found other"):
            evaluate_davis(root, predictions, lenient=lenient)


def test_ground_truth_that_the_server_keeps_leads_to_the_submission(pair: tuple[Path, Path]):
    root, predictions = pair
    (root / "ImageSets" / "2017" / "val.txt").rename(root / "ImageSets" / "2017" / "test-dev.txt")
    for frame in ("00001", "00002", "00003", "00004"):
        (root / "Annotations" / "480p" / "clip" / f"{frame}.png").unlink()
    with pytest.raises(UserError, match="maskvos evaluate submit davis"):
        evaluate_davis(root, predictions, "test-dev")


def test_too_few_annotations_are_said(tmp_path: Path):
    root = make_dataset(tmp_path / "root", {"short": [np.ones((4, 4), np.uint8)] * 2})
    with pytest.raises(UserError, match="sequence short has 2 annotated frames"):
        evaluate_davis(root, root / "Annotations" / "480p")
