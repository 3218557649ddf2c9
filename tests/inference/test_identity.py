"""What makes a run the same run."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskvos.datasets.images import VideoFile
from maskvos.inference.identity import FramesRead, describe_masks, describe_source
from maskvos.inference.span import Span, open_span


@pytest.fixture
def folder(tmp_path):
    for number in range(4):
        Image.new("RGB", (6, 4), (number, 0, 0)).save(tmp_path / f"{number}.png")
    return tmp_path


def test_a_folder_is_its_path_and_the_names_of_the_frames(folder):
    whole = describe_source(open_span(folder))
    assert describe_source(open_span(folder)) == whole
    other = describe_source(open_span(folder, "1"))
    assert [name for name in whole if whole[name] != other[name]] == ["span of frames"]
    (folder / "2.png").write_bytes(b"another")
    assert describe_source(open_span(folder)) == whole


def test_a_video_is_its_size_and_time_too(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"1")
    span = Span(path, VideoFile(path), ["00000"])
    before = describe_source(span)
    os.utime(path, ns=(1, 1))
    assert describe_source(span)["source"] != before["source"]


def test_frames_that_were_read(folder):
    span = open_span(folder)
    step_by_step = FramesRead(span)
    for frame in span.frames[:3]:
        step_by_step.add(frame)
    assert FramesRead(span, 3).checksum == step_by_step.checksum != FramesRead(span, 2).checksum
    (folder / "3.png").write_bytes(b"was damaged")  # not read so far
    assert FramesRead(span, 3).checksum == step_by_step.checksum
    (folder / "1.png").write_bytes(b"changed")
    assert FramesRead(span, 3).checksum != step_by_step.checksum
    (folder / "1.png").unlink()
    assert FramesRead(span, 3).checksum != step_by_step.checksum


def test_frames_of_a_video_have_no_files():
    span = Span(Path("a.mp4"), VideoFile(Path("a.mp4")), ["00000"])
    assert FramesRead(span, 1).checksum == FramesRead(span).checksum


def test_masks():
    ones = np.ones((2, 2), np.uint8)
    found = {describe_masks(masks) for masks in ({"a": ones}, {"b": ones}, {"a": ones * 2}, {"a": ones, "b": ones})}
    assert len(found) == 4
