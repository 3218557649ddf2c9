"""Which folders are ground truth, and what is said of those that are not."""

from pathlib import Path

import numpy as np
import pytest

from maskvos.errors import UserError
from maskvos.evaluation.ground_truth import find_davis, find_youtubevos
from tests.evaluation.masks import write_sequence

MASKS = [np.eye(4, dtype=np.uint8)] * 2


def test_datasets_and_plain_folders(tmp_path: Path):
    write_sequence(tmp_path / "DAVIS" / "Annotations" / "480p" / "b", MASKS)
    write_sequence(tmp_path / "valid" / "Annotations" / "a", MASKS)
    write_sequence(tmp_path / "plain" / "a", MASKS)
    (tmp_path / "plain" / "notes.txt").touch()
    davis = find_davis(tmp_path / "DAVIS")
    assert (davis.is_plain, davis.sequences(), list(davis.files("b"))) == (False, ["b"], ["00000", "00001"])
    assert find_youtubevos(tmp_path / "valid").masks == tmp_path / "valid" / "Annotations"
    write_sequence(tmp_path / "valid_ground_truth" / "Annotations" / "a", MASKS)
    assert find_youtubevos(tmp_path / "valid").masks == tmp_path / "valid_ground_truth" / "Annotations"
    for find in (find_davis, find_youtubevos):
        plain = find(tmp_path / "plain")
        assert (plain.is_plain, plain.sequences(), plain.image_frames("a")) == (True, ["a"], [])


@pytest.mark.parametrize("find", [find_davis, find_youtubevos])
def test_a_wrong_folder_is_told_what_was_expected_and_found(tmp_path: Path, find):
    with pytest.raises(UserError, match=r"nowhere: no such folder of ground truth"):
        find(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"plain folder of SEQUENCE/FRAME.png; this one holds nothing"):
        find(tmp_path)
    for name in "abcdefg":
        (tmp_path / name).mkdir()
    with pytest.raises(UserError, match=r"this one holds a, b, c, d, e and 2 more"):
        find(tmp_path)
    (tmp_path / "JPEGImages").mkdir()
    write_sequence(tmp_path / "a", MASKS)  # not a plain folder: a dataset without its annotations
    with pytest.raises(UserError, match="no ground truth found"):
        find(tmp_path)


def test_the_other_layout_is_recognised(tmp_path: Path):
    write_sequence(tmp_path / "DAVIS" / "Annotations" / "480p" / "b", MASKS)
    write_sequence(tmp_path / "valid" / "Annotations" / "a", MASKS)
    with pytest.raises(UserError, match="maskvos evaluate davis"):
        find_youtubevos(tmp_path / "DAVIS")
    with pytest.raises(UserError, match="maskvos evaluate youtubevos"):
        find_davis(tmp_path / "valid")
