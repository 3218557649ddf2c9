from pathlib import Path

import cv2
import numpy as np
import pytest

from maskvos.datasets.clips import open_clips
from maskvos.errors import UserError
from tests.datasets.layouts import write_images


def write_video(path: Path, frames: int) -> None:
    """Frame i is plain, of brightness 20 * i."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 12.0, (48, 32))
    assert writer.isOpened()
    for index in range(frames):
        writer.write(np.full((32, 48, 3), 20 * index, np.uint8))
    writer.release()


def test_folders_and_videos_side_by_side(tmp_path: Path):
    write_images(tmp_path / "walk", ["frame2", "frame10", "frame1"], ".png")
    write_video(tmp_path / "drive.avi", 7)
    (tmp_path / "notes.txt").write_text("not a clip")
    (tmp_path / "empty").mkdir()
    drive, walk = open_clips(tmp_path)
    assert (drive.name, len(drive.frames), drive.rate) == ("drive", 7, 12.0)
    assert (walk.name, walk.frames, walk.rate) == ("walk", ["frame1", "frame2", "frame10"], 0.0)
    assert walk.image("frame10")[0, 0].tolist() == [10, 100, 200]
    assert not drive.annotated_frames
    assert not drive.scored_frames


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4, 5, 6], [6, 0, 3, 3, 2, 5]], ids=["forwards", "jumping"])
def test_every_frame_is_the_one_asked_for(tmp_path: Path, order: list[int]):
    write_video(tmp_path / "clip.avi", 7)
    (clip,) = open_clips(tmp_path)
    for index in order:
        image = clip.image(clip.frames[index])
        assert image.shape == (32, 48, 3)
        assert abs(float(image.mean()) - 20 * index) < 4


def test_channels_are_rgb(tmp_path: Path):
    writer = cv2.VideoWriter(str(tmp_path / "red.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 5.0, (32, 32))
    writer.write(np.full((32, 32, 3), (0, 0, 250), np.uint8))
    writer.release()
    (clip,) = open_clips(tmp_path)
    red, green, blue = clip.image("00000").reshape(-1, 3).mean(0)
    assert red > 230
    assert max(green, blue) < 20


def test_what_cannot_be_used_is_named(tmp_path: Path):
    with pytest.raises(UserError, match="no such folder"):
        open_clips(tmp_path / "nowhere")
    with pytest.raises(UserError, match="neither video files"):
        open_clips(tmp_path)
    write_images(tmp_path / "walk", ["0"])
    (tmp_path / "walk.mp4").write_bytes(b"not a video")
    with pytest.raises(UserError, match="a second clip named walk"):
        open_clips(tmp_path)
    (tmp_path / "walk.mp4").unlink()
    write_video(tmp_path / "walk.avi", 2)
    with pytest.raises(UserError, match="a second clip named walk"):
        open_clips(tmp_path)


def test_a_video_that_cannot_be_decoded_has_no_frames(tmp_path: Path):
    (tmp_path / "broken.mp4").write_bytes(b"not a video")
    with pytest.raises(UserError, match=r"broken\.mp4: not a video"):
        open_clips(tmp_path)
    write_video(tmp_path / "whole.avi", 3)
    assert {clip.name: len(clip.frames) for clip in open_clips(tmp_path)} == {"broken": 0, "whole": 3}
