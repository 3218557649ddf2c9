import json
from pathlib import Path

import pytest

from maskvos.datasets.youtubevos import ground_truth_root, open_youtubevos, read_meta
from maskvos.errors import UserError
from tests.datasets.layouts import write_images, write_masks

FRAMES = [f"{index * 5:05d}" for index in range(5)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "valid"
    write_images(root / "JPEGImages" / "clip", FRAMES)
    write_masks(root / "Annotations" / "clip", {"00000": [1], "00010": [4]})
    objects = {"4": {"category": "ape", "frames": FRAMES[2:]}, "1": {"category": "cat", "frames": FRAMES[:4]}}
    (root / "meta.json").write_text(json.dumps({"videos": {"clip": {"objects": objects}}}))
    return root


@pytest.mark.parametrize("with_meta", [True, False])
def test_late_objects_and_frame_numbers_with_steps(root: Path, with_meta: bool):
    if not with_meta:
        (root / "meta.json").unlink()
    (clip,) = open_youtubevos(root)
    assert clip.frames == FRAMES
    assert clip.first_frames == {1: "00000", 4: "00010"}
    assert clip.annotated_frames == ["00000", "00010"]
    assert clip.scored_frames == FRAMES[1:]


def test_scored_frames_are_those_that_meta_lists_after_a_first_frame(root: Path):
    objects = {"1": {"frames": FRAMES[1:3]}, "4": {"frames": [FRAMES[4]]}}
    (root / "meta.json").write_text(json.dumps({"videos": {"clip": {"objects": objects}}}))
    (clip,) = open_youtubevos(root)
    assert clip.scored_frames == [FRAMES[2]]


def test_unlabelled_clips(tmp_path: Path):
    write_images(tmp_path / "JPEGImages" / "b", FRAMES)
    write_images(tmp_path / "JPEGImages" / "a", FRAMES, ".png")
    sequences = open_youtubevos(tmp_path)
    assert [sequence.name for sequence in sequences] == ["a", "b"]
    assert sequences[0].first_frames == {}
    assert sequences[0].scored_frames == []


def test_ground_truth_lies_within_or_beside(root: Path):
    assert ground_truth_root(root) is None
    beside = root.parent / "valid_ground_truth"
    write_masks(beside / "Annotations" / "clip", {"00000": [1]})
    assert ground_truth_root(root) == beside
    write_masks(root / "ground_truth" / "Annotations" / "clip", {"00000": [1]})
    assert ground_truth_root(root) == root / "ground_truth"


@pytest.mark.parametrize("text", ["", "[]", '{"videos": 1}', '{"videos": {"a": {"objects": {"1": {"frames": []}}}}}'])
def test_damaged_meta_is_named(root: Path, text: str):
    (root / "meta.json").write_text(text)
    with pytest.raises(UserError, match=r"meta\.json: not the meta\.json of YouTube-VOS"):
        read_meta(root)


def test_empty_folders_are_named(tmp_path: Path):
    with pytest.raises(UserError, match="no sequences"):
        open_youtubevos(tmp_path)
    (tmp_path / "JPEGImages" / "clip").mkdir(parents=True)
    with pytest.raises(UserError, match="clip: no frames"):
        open_youtubevos(tmp_path)


def test_real_clips(shared_data: Path):
    (clip,) = open_youtubevos(shared_data / "YouTubeVOS" / "valid")
    assert clip.first_frames == dict.fromkeys(range(1, 6), "00000")
    assert len(clip.scored_frames) == 14
    train = open_youtubevos(shared_data / "YouTubeVOS" / "train")
    assert (len(train), sum(len(sequence.frames) for sequence in train)) == (92, 3488)
