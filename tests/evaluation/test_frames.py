from pathlib import Path

import numpy as np
import pytest

from maskvos.errors import UserError
from maskvos.evaluation.frames import FrameScores, read_frames, write_frames
from tests.evaluation.reference import statistics


def make_frames() -> dict[tuple[str, int], FrameScores]:
    random = np.random.default_rng(0)
    keys = {("b, with comma", 1): 5, ("b, with comma", 2): 3, ("a_1", 10): 1}
    return {
        key: FrameScores(
            tuple(f"{place:05d}" for place in range(1, count + 1)), random.random(count), random.random(count)
        )
        for key, count in keys.items()
    }


def test_figures_are_those_of_the_values():
    for scores in make_frames().values():
        plain = (*statistics(scores.J.tolist()), *statistics(scores.F.tolist()))
        assert tuple(scores.figures.values()) == pytest.approx(plain, abs=1e-12)


def test_written_and_read_back(tmp_path: Path):
    written = make_frames()
    write_frames(written, tmp_path / "frames.csv")
    lines = (tmp_path / "frames.csv").read_text().splitlines()
    assert lines[0] == "sequence,frame,object,J,F"
    assert lines[6].startswith('"b, with comma",00001,2,0.')
    read = read_frames(tmp_path / "frames.csv")
    assert list(read) == list(written)
    for key, scores in read.items():
        assert scores.frames == written[key].frames
        assert list(scores.J) == pytest.approx(written[key].J, abs=1e-8)
        assert list(scores.F) == pytest.approx(written[key].F, abs=1e-8)


@pytest.mark.parametrize(
    "text", ["", "a,b\n", "sequence,frame,object,J,F\na,0,1,0.5\n", "sequence,frame,object,J,F\na,0,x,1,1\n"]
)
def test_another_file_is_refused(tmp_path: Path, text: str):
    (tmp_path / "frames.csv").write_text(text)
    with pytest.raises(UserError, match=r"frames\.csv: not a table of sequence, frame"):
        read_frames(tmp_path / "frames.csv")
    with pytest.raises(UserError, match=r"absent\.csv"):
        read_frames(tmp_path / "absent.csv")
