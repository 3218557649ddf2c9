"""The frames that are segmented: folders and videos, from --start to --end."""

import cv2
import numpy as np
import pytest
from PIL import Image

from maskvos.datasets.images import VideoFile
from maskvos.errors import UserError
from maskvos.inference.span import find_frame, open_span


@pytest.fixture
def folder(tmp_path):
    """frame_8.png to frame_12.png, each filled with its number."""
    root = tmp_path / "frames"
    root.mkdir()
    for number in range(8, 13):
        Image.new("RGB", (6, 4), (number, 0, 0)).save(root / f"frame_{number}.png")
    return root


@pytest.fixture
def video(tmp_path):
    """Ten frames at 12.5 frames per second, each filled with 20 times its number."""
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 12.5, (32, 16))
    for number in range(10):
        writer.write(np.full((16, 32, 3), 20 * number, np.uint8))
    writer.release()
    return path


def numbers(span, skip=0):
    return [(name, int(image[0, 0, 0])) for name, image in span.images(skip)]


def test_a_folder_in_the_order_of_its_numbers(folder):
    assert numbers(open_span(folder)) == [(f"frame_{number}", number) for number in range(8, 13)]
    assert not open_span(folder).is_video


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("frame_9", "frame_11", [9, 10, 11]),
        ("9", "frame_11.png", [9, 10, 11]),
        ("0010", None, [10, 11, 12]),
        (None, "8", [8]),
        ("12", "12", [12]),
    ],
)
def test_both_ends_belong_to_the_span(folder, start, end, expected):
    span = open_span(folder, start, end)
    assert [number for _, number in numbers(span)] == expected
    assert span.first_image()[0, 0, 0] == expected[0]


def test_a_video_by_numbers(video):
    span = open_span(video, "3", "00006")
    assert [name for name, _ in numbers(span)] == ["00003", "00004", "00005", "00006"]
    assert [round(value / 20) for _, value in numbers(span)] == [3, 4, 5, 6]
    assert (span.rate, span.is_video) == (12.5, True)
    assert [name for name, _ in numbers(span, skip=2)] == ["00005", "00006"]


def test_the_whole_video_is_not_decoded_to_count_it(video, monkeypatch):
    monkeypatch.setattr(VideoFile, "count", lambda _: pytest.fail("decoded"))
    assert len(numbers(open_span(video))) == 10


def test_a_mask_may_be_for_a_frame_that_the_container_does_not_state(video, monkeypatch):
    monkeypatch.setattr(VideoFile, "stated", lambda _: 4)
    assert len(open_span(video).frames) == 4
    assert find_frame(open_span(video, others=["7"]), "7", "--mask") == 7


@pytest.mark.parametrize(("stated", "names"), [(4, 10), (0, 10), (10, 10)])
def test_a_container_that_states_too_few_frames(video, monkeypatch, stated, names):
    monkeypatch.setattr(VideoFile, "stated", lambda _: stated)
    span = open_span(video)
    assert [span.name(place) for place in range(names)] == [f"{number:05d}" for number in range(10)]
    assert [name for name, _ in numbers(span)] == [f"{number:05d}" for number in range(10)]
    assert [name for name, _ in numbers(span, skip=8)] == ["00008", "00009"]
    assert [name for name, _ in numbers(open_span(video, "7", "8"))] == ["00007", "00008"]


def test_a_container_that_states_too_many_frames(video, monkeypatch, caplog):
    monkeypatch.setattr(VideoFile, "stated", lambda _: 14)
    assert len(numbers(open_span(video))) == 10
    assert "frames up to 00013, but 00009 is the last that can be decoded" in caplog.text
    with pytest.raises(UserError, match="--end 14: no such frame among the 10"):
        open_span(video, None, "14")


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ("11", "9", "--start 11 lies after --end 9"),
        ("7", None, "--start 7: no such frame among the 5"),
        (None, "later", "--end later: no such frame"),
        ("-1", None, "--start -1: no such frame"),
    ],
)
def test_spans_that_do_not_exist(folder, start, end, message):
    with pytest.raises(UserError, match=message):
        open_span(folder, start, end)


def test_a_number_that_two_names_end_with(folder):
    Image.new("RGB", (6, 4)).save(folder / "other_9.png")
    with pytest.raises(UserError, match=r"2 frames of .* end with this number"):
        open_span(folder, "9")
    assert open_span(folder, "other_9").frames == ["other_9"]


def test_the_same_frame_twice(folder):
    Image.new("RGB", (6, 4)).save(folder / "frame_9.jpg")
    with pytest.raises(UserError, match=r"frame_9\.jpg and frame_9\.png are the same frame"):
        open_span(folder)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "no such file or folder"),
        (lambda path: path.mkdir(), "no frames in this folder .* Name another one"),
        (lambda path: (path / "frames").mkdir(parents=True), "It holds the folder frames"),
        (lambda path: (path.mkdir(), (path / "a.mp4").touch()), r"It holds the video a\.mp4"),
    ],
)
def test_places_without_frames(tmp_path, make, message):
    make(tmp_path / "place")
    with pytest.raises(UserError, match=message):
        open_span(tmp_path / "place")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.png", "a single image"),
        ("a.txt", "no video file by its name"),
        ("a.mp4", "not a video that OpenCV can decode"),
    ],
)
def test_files_that_are_no_video(tmp_path, name, message):
    (tmp_path / name).write_bytes(b"something")
    with pytest.raises(UserError, match=message):
        open_span(tmp_path / name)


def test_a_damaged_image_is_an_error_and_no_end(folder):
    (folder / "frame_10.png").write_bytes(b"")
    images = open_span(folder).images()
    assert [next(images)[0], next(images)[0]] == ["frame_8", "frame_9"]
    with pytest.raises(UserError, match="frame_10"):
        next(images)
