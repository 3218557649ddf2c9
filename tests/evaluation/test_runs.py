import json
from pathlib import Path

import pytest

from maskvos.errors import UserError
from maskvos.evaluation import write_frames, write_metrics
from maskvos.evaluation.runs import read_run
from tests.evaluation.results import LEVELS, make_result


def test_a_folder_or_its_file_with_and_without_frames(tmp_path: Path):
    result = make_result()
    write_metrics(result, tmp_path / "metrics.json")
    run = read_run(tmp_path)
    assert run == read_run(tmp_path / "metrics.json")
    assert (run.path, run.protocol, run.set) == (tmp_path / "metrics.json", "test protocol", "val")
    assert run.scores == result.scores
    assert list(run.scores) == list(LEVELS)
    assert run.frames == {}
    write_frames(result.frames, tmp_path / "frames.csv")
    assert list(read_run(tmp_path).frames) == list(LEVELS)
    write_metrics(result, tmp_path / "other.json")
    assert read_run(tmp_path / "other.json").frames == {}
    write_frames(result.frames, tmp_path / "other_frames.csv")
    assert len(read_run(tmp_path / "other.json").frames) == 4


@pytest.mark.parametrize("change", ["less", "other values"])
def test_frames_of_another_run_are_refused(tmp_path: Path, change: str):
    result = make_result()
    write_metrics(result, tmp_path / "metrics.json")
    frames = dict(result.frames)
    if change == "less":
        del frames["b&w", 1]
    else:
        frames["b&w", 1] = frames["cat_a", 1]
    write_frames(frames, tmp_path / "frames.csv")
    with pytest.raises(UserError, match=r"frames\.csv: its means are not those of .*metrics\.json"):
        read_run(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"objects": {"a": {}}, "protocol": "p", "set": ""}'])
def test_another_file_is_refused(tmp_path: Path, content: str):
    (tmp_path / "metrics.json").write_text(content)
    with pytest.raises(UserError, match=r"metrics\.json: not a metrics\.json of"):
        read_run(tmp_path)


def test_an_absent_file_and_one_without_scores(tmp_path: Path):
    with pytest.raises(UserError, match=r"metrics\.json: no such file"):
        read_run(tmp_path)
    empty = {"protocol": "none: no ground truth", "set": "x", "global": {}, "sequences": {}, "objects": {}}
    (tmp_path / "metrics.json").write_text(json.dumps(empty))
    with pytest.raises(UserError, match='holds no scored object, protocol "none: no ground truth"'):
        read_run(tmp_path)
