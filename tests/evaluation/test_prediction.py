"""Names in a folder of predictions against those that are expected."""

from pathlib import Path

import numpy as np
import pytest

from maskvos.errors import UserError
from maskvos.evaluation.faults import HINT, Faults
from maskvos.evaluation.prediction import Expected, check_folder, other_ids

EXPECTED = [Expected("b", ["1", "2"], {"0", "1", "2", "3"}), Expected("a", ["1"], {"1"})]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b/1", "b/2", "a/1"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.png").touch()
    return tmp_path


def test_needed_and_allowed_names_pass(folder: Path):
    for name in ("b/0.png", "b/3.PNG", "b/notes.txt", "b/.9.png", "table.csv"):
        (folder / name).touch()
    (folder / "c").mkdir()
    faults = Faults(lenient=True)
    check_folder(folder, EXPECTED, ["c"], faults)
    assert not faults.forgiven


@pytest.mark.parametrize("lenient", [False, True])
def test_missing_names_are_errors_even_if_lenient(folder: Path, lenient: bool):
    (folder / "b" / "1.png").unlink()
    with pytest.raises(UserError, match=r"b/1.png: the prediction of sequence b lacks frame 1\. "):
        check_folder(folder, EXPECTED, (), Faults(lenient))
    (folder / "b" / "2.png").unlink()
    with pytest.raises(UserError, match="lacks frame 1 and 1 more"):
        check_folder(folder, EXPECTED, (), Faults(lenient))
    (folder / "b").rmdir()
    with pytest.raises(UserError, match="no predictions of sequence b, frame 1 on"):
        check_folder(folder, EXPECTED, (), Faults(lenient))
    (folder / "a").rename(folder / "x")
    with pytest.raises(UserError, match="Expected folders of its sequences, b, a; found x"):
        check_folder(folder, EXPECTED, (), Faults(lenient))
    with pytest.raises(UserError, match="no such folder of predictions"):
        check_folder(folder / "nowhere", EXPECTED, (), Faults(lenient))


def test_extra_names_are_errors_unless_forgiven(folder: Path):
    for name in ("a/0.png", "a/2.png", "b/7.png"):
        (folder / name).touch()
    with pytest.raises(UserError, match="sequence b has no frame 7"):
        check_folder(folder, EXPECTED, (), Faults())
    (folder / "c").mkdir()
    with pytest.raises(UserError, match=r"sequence c is none of this set.*\(`--lenient`"):
        check_folder(folder, EXPECTED, (), Faults(hint=HINT))
    faults = Faults(lenient=True)
    check_folder(folder, EXPECTED, (), faults)
    assert [(fault.sequence, fault.frames) for fault in faults.forgiven] == [
        ("c", ()),
        ("b", ("7",)),
        ("a", ("0", "2")),
    ]


def test_other_ids():
    mask = np.array([[0, 1], [3, 255]], np.uint8)
    assert other_ids(mask, frozenset({1})) == {3, 255}
    assert other_ids(mask, frozenset(range(1, 256))) == frozenset()
    assert other_ids(np.minimum(mask, 1), frozenset({1})) == frozenset()
