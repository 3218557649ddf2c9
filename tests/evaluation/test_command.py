import json
from pathlib import Path

import numpy as np
import pytest

from maskvos.cli import main
from tests.evaluation.masks import write_sequence


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    mask = np.eye(9, 12, dtype=np.uint8)
    write_sequence(tmp_path / "root" / "Annotations" / "480p" / "clip", [mask] * 4)
    write_sequence(tmp_path / "root" / "Annotations" / "clip", [mask] * 4)
    write_sequence(tmp_path / "predictions" / "clip", [mask] * 4)
    (tmp_path / "root" / "ImageSets" / "2017").mkdir(parents=True)
    (tmp_path / "root" / "ImageSets" / "2017" / "mine.txt").write_text("clip\n")
    return ["--ground-truth", str(tmp_path / "root"), "--predictions", str(tmp_path / "predictions")]


def test_davis_prints_the_table_and_writes_both_files(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    output = tmp_path / "out" / "metrics.json"
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", "davis", *arguments, "--set", "mine", "--output", str(output), "--processes", "2"])
    assert ended.value.code == 0
    assert json.loads(output.read_text())["global"]["J&F_mean"] == 1.0
    assert (tmp_path / "out" / "objects.csv").read_text().startswith("object,J_mean,J_recall")
    assert "clip  " in capsys.readouterr().out


def test_sequences_by_name(arguments: list[str], tmp_path: Path):
    for folder in (tmp_path / "root" / "Annotations" / "480p", tmp_path / "predictions"):
        write_sequence(folder / "other", [np.eye(9, 12, dtype=np.uint8)] * 4)
    (tmp_path / "root" / "ImageSets" / "2017" / "val.txt").write_text("clip\nother\n")
    output = tmp_path / "a.json"
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", "davis", *arguments, "--sequences", "other", "--output", str(output)])
    assert ended.value.code == 0
    content = json.loads(output.read_text())
    assert list(content["sequences"]) == ["other"]
    assert content["scored_frames"] == {"other_1": 2}


def test_a_plain_folder_by_the_protocol_of_2016(arguments: list[str], tmp_path: Path):
    output = tmp_path / "a.json"
    arguments[1] = str(tmp_path / "root" / "Annotations" / "480p")
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", "davis", *arguments, "--year", "2016", "--output", str(output)])
    assert ended.value.code == 0
    assert json.loads(output.read_text())["protocol"] == "DAVIS-2016 single object"


def test_youtubevos_with_a_named_table_of_objects(arguments: list[str], tmp_path: Path):
    output, objects = tmp_path / "a.json", tmp_path / "mine.csv"
    (tmp_path / "root" / "Annotations" / "480p" / "clip").rename(tmp_path / "elsewhere")
    (tmp_path / "root" / "Annotations" / "480p").rmdir()
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", "youtubevos", *arguments, "--output", str(output), "--objects", str(objects)])
    assert ended.value.code == 0
    assert len(objects.read_text().splitlines()) == 3


def test_lenient_lists_what_it_forgave_and_the_file_names_its_inputs(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    write_sequence(tmp_path / "predictions" / "stranger", [np.eye(9, 12, dtype=np.uint8)])
    output = tmp_path / "a.json"
    for protocol, more in (("davis", ["--set", "mine"]), ("youtubevos", [])):
        if protocol == "youtubevos":
            (tmp_path / "root" / "Annotations" / "480p").rename(tmp_path / "elsewhere")
        command = ["evaluate", protocol, *arguments, *more, "--output", str(output)]
        with pytest.raises(SystemExit) as ended:
            main(command)
        assert ended.value.code == 2
        assert "stranger" in capsys.readouterr().err
        assert not output.exists()
        with pytest.raises(SystemExit) as ended:
            main([*command, "--lenient"])
        assert ended.value.code == 0
        assert "forgiven: " in capsys.readouterr().out
        content = json.loads(output.read_text())
        assert [fault["sequence"] for fault in content["forgiven"]] == ["stranger"]
        assert content["inputs"] == {
            "ground_truth": str(tmp_path / "root"),
            "predictions": str(tmp_path / "predictions"),
        }
        output.unlink()


def test_a_mistake_is_one_line_and_leaves_no_file(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "predictions" / "clip" / "00001.png").unlink()
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", "davis", *arguments, "--set", "mine", "--output", str(tmp_path / "a.json")])
    assert ended.value.code == 2
    assert "lacks frame 00001" in capsys.readouterr().err
    assert not (tmp_path / "a.json").exists()
    assert not (tmp_path / "a_objects.csv").exists()


@pytest.mark.parametrize(
    "protocol", [["davis", "--set", "mine"], ["davis", "--set", "mine", "--year", "2016"], ["youtubevos"]]
)
def test_everything_at_once(arguments: list[str], tmp_path: Path, protocol: list[str]):
    if protocol == ["youtubevos"]:
        (tmp_path / "root" / "Annotations" / "480p").rename(tmp_path / "elsewhere")
    outputs = ["--output", str(tmp_path / "out" / "metrics.json"), "--output", str(tmp_path / "out" / "table.tex")]
    more = ["--frames", str(tmp_path / "out" / "frames.csv"), "--show-worst", "2"]
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", *protocol, *arguments, *outputs, *more])
    assert ended.value.code == 0
    found = {path.name for path in (tmp_path / "out").iterdir()}
    assert found == {"metrics.json", "objects.csv", "table.tex", "frames.csv", "worst"}
    assert len(list((tmp_path / "out" / "worst").glob("*.png"))) == 1  # two frames only: they are neighbours
    (tmp_path / "out" / "worst" / "mine.txt").write_text("kept")
    for kept in (True, False):
        with pytest.raises(SystemExit):
            main(["evaluate", *protocol, *arguments, *outputs])
        assert (tmp_path / "out" / "worst").exists() is kept  # no stale pictures, but nothing of the user's goes
        (tmp_path / "out" / "worst" / "mine.txt").unlink(missing_ok=True)
    (tmp_path / "predictions" / "clip" / "00001.png").unlink()
    before = (tmp_path / "out" / "table.tex").stat()
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", *protocol, *arguments, *outputs, *more])
    assert ended.value.code == 2
    assert (tmp_path / "out" / "table.tex").stat() == before


def test_pictures_do_not_come_among_the_predictions(arguments: list[str], tmp_path: Path, capsys):
    words = ["--set", "mine", "--output", str(tmp_path / "predictions" / "metrics.json"), "--show-worst", "1"]
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", "davis", *arguments, *words])
    assert ended.value.code == 2
    assert "among the sequences" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "predictions").iterdir()] == ["clip"]
