"""Layouts: what is counted, what is listed, what is said when something is missing."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskvos.datasets.generator import GeneratedSet, generate
from maskvos.datasets.layout import check_layout
from maskvos.errors import UserError

DAVIS = GeneratedSet("davis", "davis", "val", 0, 2, 3, 48, 64, 2, annotated=True)
YOUTUBEVOS = GeneratedSet("yt", "youtubevos", "valid", 0, 2, 4, 48, 64, 2, annotated=True)


@pytest.fixture
def davis(tmp_path: Path) -> Path:
    generate(DAVIS, tmp_path / "davis", threads=1)
    return tmp_path / "davis"


@pytest.fixture
def youtubevos(tmp_path: Path) -> Path:
    generate(YOUTUBEVOS, tmp_path / "valid", threads=1)
    return tmp_path / "valid"


def test_davis(davis: Path) -> None:
    listing = check_layout(davis, "davis", "val", annotated=True)
    assert listing.sequences == {"generated-0000": 3, "generated-0001": 3}
    assert len(listing.files) == 12
    assert len(check_layout(davis, "davis", "val", annotated=False).files) == 6
    frame = "JPEGImages/480p/generated-0000/00000.jpg"
    assert listing.files[frame] == (davis / frame).stat().st_size


def test_davis_faults(davis: Path) -> None:
    with pytest.raises(UserError, match=r"train\.txt: no such list"):
        check_layout(davis, "davis", "train", annotated=False)
    masks = davis / "Annotations" / "480p" / "generated-0001"
    (masks / "00000.png").rename(masks / "00009.png")
    with pytest.raises(UserError, match=r"00009\.png: annotates a frame that JPEGImages lacks"):
        check_layout(davis, "davis", "val", annotated=True)
    shutil.rmtree(masks)
    with pytest.raises(UserError, match="generated-0001: no annotation"):
        check_layout(davis, "davis", "val", annotated=True)
    shutil.rmtree(davis / "JPEGImages" / "480p" / "generated-0000")
    with pytest.raises(UserError, match="no frames of sequence generated-0000"):
        check_layout(davis, "davis", "val", annotated=False)


def test_youtubevos_with_ground_truth_inside_or_beside(youtubevos: Path) -> None:
    inside = check_layout(youtubevos, "youtubevos", "valid", annotated=True)
    assert inside.sequences == {"generated-0000": 4, "generated-0001": 4}
    truth = [name for name in inside.files if name.startswith("ground_truth/Annotations/")]
    assert len(truth) == 8
    (youtubevos / "ground_truth").rename(youtubevos.with_name("valid_ground_truth"))
    beside = check_layout(youtubevos, "youtubevos", "valid", annotated=True)
    assert "valid_ground_truth/Annotations/generated-0000/00000.png" in beside.files
    assert len(beside.files) == len(inside.files)


def test_youtubevos_faults(youtubevos: Path) -> None:
    meta = json.loads((youtubevos / "meta.json").read_text())
    meta["videos"]["gone"] = meta["videos"]["generated-0000"]
    (youtubevos / "meta.json").write_text(json.dumps(meta))
    with pytest.raises(UserError, match="such as gone"):
        check_layout(youtubevos, "youtubevos", "valid", annotated=True)
    with pytest.raises(UserError, match="no such"):
        check_layout(youtubevos / "absent", "youtubevos", "valid", annotated=False)


@pytest.mark.parametrize("annotated", [True, False])
def test_youtubevos_frame_that_meta_lists_is_missing(youtubevos: Path, annotated: bool) -> None:
    meta = json.loads((youtubevos / "meta.json").read_text())
    objects = meta["videos"]["generated-0001"]["objects"]
    frame = objects[max(objects)]["frames"][-1]
    (youtubevos / "JPEGImages" / "generated-0001" / f"{frame}.jpg").unlink()
    with pytest.raises(UserError, match=f"frame {frame} of sequence generated-0001 is missing"):
        check_layout(youtubevos, "youtubevos", "valid", annotated)
    (youtubevos / "meta.json").unlink()
    check_layout(youtubevos, "youtubevos", "train", annotated=False)


def test_clips(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    for name in ("1.png", "2.PNG", "notes.txt", "._1.png"):
        (tmp_path / "frames" / name).touch()
    (tmp_path / "empty").mkdir()
    video = cv2.VideoWriter(str(tmp_path / "dog.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for level in range(5):
        video.write(np.full((48, 64, 3), 40 * level, np.uint8))
    video.release()
    (tmp_path / "damaged.mp4").write_bytes(b"no video")
    listing = check_layout(tmp_path, "clips", "train", annotated=False)
    assert listing.sequences == {"damaged": 0, "dog": 5, "frames": 2}
    assert set(listing.files) == {"damaged.mp4", "dog.avi", "frames/1.png", "frames/2.PNG"}
    with pytest.raises(UserError, match="no annotations to evaluate"):
        check_layout(tmp_path, "clips", "train", annotated=True)
    (tmp_path / "dog.mov").touch()
    with pytest.raises(UserError, match="second clip named dog"):
        check_layout(tmp_path, "clips", "train", annotated=False)


def test_clips_without_any(tmp_path: Path) -> None:
    for root in (tmp_path, tmp_path / "absent"):
        with pytest.raises(UserError):
            check_layout(root, "clips", "train", annotated=False)


@pytest.mark.shared_data
def test_real_data(shared_data: Path) -> None:
    found = [
        check_layout(shared_data / root, layout, split, annotated)
        for root, layout, split, annotated in (
            ("DAVIS", "davis", "val", True),
            ("DAVIS-multi", "davis", "val", True),
            ("YouTubeVOS/train", "youtubevos", "train", False),
            ("YouTubeVOS/valid", "youtubevos", "valid", True),
        )
    ]
    assert [len(listing.sequences) for listing in found] == [12, 2, 92, 1]
    assert found[2].frames == 3488
