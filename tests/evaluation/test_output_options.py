import argparse
from pathlib import Path

import pytest

from maskvos.errors import UserError
from maskvos.evaluation.output_options import add_output_arguments, read_outputs
from maskvos.evaluation.outputs import Outputs


def read(*words: object) -> Outputs:
    parser = argparse.ArgumentParser()
    add_output_arguments(parser)
    return read_outputs(parser.parse_args([str(word) for word in words]))


def test_objects_stand_beside_the_first_json():
    assert read("--output", "a.md").objects is None
    assert read("--output", "a.md", "--output", "x/b.json").objects == Path("x/b_objects.csv")
    assert read("--output", "x/metrics.json").objects == Path("x/objects.csv")
    assert read("--output", "metrics.json", "--objects", "mine.csv").objects == Path("mine.csv")
    assert read().paths == []


def test_pictures_stand_beside_the_first_output():
    assert read("--output", "x/metrics.json", "--show-worst", 2).worst_folder == Path("x/worst")
    assert read("--output", "x/a.md", "--show-worst", 2).worst_folder == Path("x/a_worst")
    assert read("--show-worst", 2).worst_folder == Path("worst")
    assert read("--show-worst", 2, "--worst-dir", "w").worst_folder == Path("w")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--output", "a.txt"], r"--output a\.txt: unknown format\. End the name in \.json, \.csv, \.md, \.tex"),
        (["--output", "a.csv", "--output", "./a.csv"], r"a\.csv: an output would take the place of another"),
        (["--output", "a.csv", "--frames", "b/../a.csv"], "would take the place"),
        (["--output", "metrics.json", "--frames", "objects.csv"], "would take the place"),
        (["--show-worst", "-1"], "--show-worst -1: expected"),
        (["--output", "tests/sub.json"], r"tests/sub\.json: a folder stands where"),
        (["--output", "metrics.json", "--frames", "tests/sub.json"], r"tests/sub\.json: a folder stands where"),
        (["--output", "tests/something/a.json"], "something is a file, no folder"),
        (["--worst-dir", "new"], "--worst-dir new: say with --show-worst"),
        (["--show-worst", "3", "--worst-dir", "tests"], "--worst-dir tests: holds "),
        (["--show-worst", "3", "--worst-dir", "new", "--output", "new/metrics.json"], "would delete new/metrics.json"),
    ],
)
def test_mistakes_are_found_before_anything_is_computed(words: list[str], message: str, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "something").touch()
    (tmp_path / "tests" / "sub.json").mkdir()
    with pytest.raises(UserError, match=message):
        read(*words)
