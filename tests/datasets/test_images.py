import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from maskvos.datasets.images import ImageFiles, VideoFile, list_files
from maskvos.errors import UserError


def test_files_are_listed_by_name_without_hidden_ones(tmp_path: Path):
    for name in ("b.JPG", "a.jpg", ".c.jpg", "d.txt"):
        (tmp_path / name).touch()
    assert list(list_files(tmp_path, (".jpg",))) == ["a", "b"]
    assert list_files(tmp_path / "nowhere", (".jpg",)) == {}


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK"])
def test_any_image_becomes_rgb(tmp_path: Path, mode: str):
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    Image.new("RGB", (6, 4), (102, 102, 102)).convert(mode).save(path)
    image = ImageFiles({"a": path}).read("a")
    assert image.shape == (4, 6, 3)
    assert np.abs(image.astype(int) - 102).max() <= 2


def test_a_truncated_jpeg_is_damaged_and_not_grey(tmp_path: Path):
    path = tmp_path / "a.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(UserError, match=r"a\.jpg: missing or damaged"):
        ImageFiles({"a": path}).read("a")


def test_an_open_video_travels_to_another_process(tmp_path: Path):
    writer = cv2.VideoWriter(str(tmp_path / "a.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 5.0, (32, 32))
    for brightness in (0, 100, 200):
        writer.write(np.full((32, 32, 3), brightness, np.uint8))
    writer.release()
    video = VideoFile(tmp_path / "a.avi")
    assert (video.stated(), video.count(), video.rate()) == (3, 3, 5.0)
    video.read("00001")
    assert abs(float(pickle.loads(pickle.dumps(video)).read("00001").mean()) - 100) < 4
    with pytest.raises(UserError, match="frame 3 cannot be decoded"):
        video.read("00003")


def test_frames_come_in_the_order_of_their_numbers(tmp_path: Path):
    for name in ("10.png", "9.png", "1.png", "²a.png", "a2.png", "a10.png", "1-2.png"):
        (tmp_path / name).touch()
    assert list(list_files(tmp_path, (".png",))) == ["1", "1-2", "9", "10", "a2", "a10", "²a"]


def test_a_changed_byte_of_a_png_is_damage(tmp_path: Path):
    path = tmp_path / "a.png"
    y, x = np.mgrid[:100, :150]
    Image.fromarray(np.stack([y, x, (y * x) % 97], axis=2).astype(np.uint8)).save(path)
    data = path.read_bytes()
    for place in range(data.index(b"IDAT") + 14, len(data) - 30, 200):
        path.write_bytes(data[:place] + bytes([data[place] ^ 16]) + data[place + 1 :])
        with pytest.raises(UserError, match=r"a\.png: missing or damaged"):
            ImageFiles({"a": path}).read("a")


def test_a_name_that_no_table_can_hold_is_refused(tmp_path: Path):
    (tmp_path / "caf\udce9.png").touch()
    with pytest.raises(UserError, match=r"caf\\udce9\.png: this name is not in UTF-8. Rename it"):
        list_files(tmp_path, (".png",))
    assert list_files(tmp_path, (".jpg",)) == {}
