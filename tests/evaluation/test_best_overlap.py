"""Best-overlap IoU of pseudo masks: plain loops over pixels, numbers by hand, folders and names."""

import numpy as np
import pytest

from maskvos.errors import UserError
from maskvos.evaluation.best_overlap import best_overlaps, clip_overlaps, find_annotations, summarise_overlaps
from maskvos.storage.frames import Clip
from maskvos.storage.masks import write_mask


def plain(labels, annotations):
    """The definition, pixel by pixel: a pixel takes the cell that its centre lies in; void pixels do not exist."""
    best = {}
    _, cells_down, cells_across = labels.shape
    pixels = []
    for place, ids in annotations.items():
        height, width = ids.shape
        for y in range(height):
            for x in range(width):
                cell = int((y + 0.5) / height * cells_down), int((x + 0.5) / width * cells_across)
                if ids[y, x] != 255:
                    pixels.append((ids[y, x], labels[place][cell]))
    for identity in sorted({identity for identity, _ in pixels} - {0}):
        best[identity] = 0.0
        for mask in {mask for _, mask in pixels} - {0}:
            both = sum(pair == (identity, mask) for pair in pixels)
            either = sum(pair[0] == identity or pair[1] == mask for pair in pixels)
            best[identity] = max(best[identity], both / either)
    return best


@pytest.mark.parametrize("size", [(4, 5), (9, 13), (16, 20), (7, 24), (3, 4)])
def test_plain_loops(size):
    generator = np.random.default_rng(sum(size))
    labels = generator.integers(0, 4, (5, 4, 5), dtype=np.uint8)
    annotations = {
        place: generator.choice(np.array([0, 1, 2, 7, 255], np.uint8), size, p=[0.4, 0.2, 0.2, 0.1, 0.1])
        for place in (0, 2, 4)
    }
    assert best_overlaps(labels, annotations) == pytest.approx(plain(labels, annotations))


def test_pooled_over_frames_and_one_mask_for_all_of_them():
    """Mask 1 meets the object in frame 0 and mask 2 in frame 1; a mean over each frame's best would be 1."""
    labels = np.array([[[1, 1], [0, 0]], [[0, 2], [0, 0]]], np.uint8)
    annotations = {0: np.array([[3, 3], [0, 0]], np.uint8), 1: np.array([[0, 3], [0, 0]], np.uint8)}
    assert best_overlaps(labels, annotations) == {3: pytest.approx(2 / 3)}


def test_a_mask_where_the_object_is_out_of_sight_counts_against_it():
    labels = np.array([[[1, 0]], [[1, 1]]], np.uint8)
    seen, gone = np.array([[5, 0]], np.uint8), np.array([[0, 0]], np.uint8)
    assert best_overlaps(labels, {0: seen}) == {5: 1.0}
    assert best_overlaps(labels, {0: seen, 1: gone}) == {5: pytest.approx(1 / 3)}


def test_background_is_no_pseudo_mask_and_void_is_no_object():
    empty = np.zeros((1, 2, 2), np.uint8)
    assert best_overlaps(empty, {0: np.full((2, 2), 9, np.uint8)}) == {9: 0.0}
    assert best_overlaps(empty + 1, {0: np.array([[255, 255], [0, 0]], np.uint8)}) == {}
    assert best_overlaps(empty + 1, {0: np.array([[4, 4], [255, 255]], np.uint8)}) == {4: 1.0}
    assert best_overlaps(empty, {}) == {}


def clip(name, frames=("00000", "00005", "00010")):
    return Clip(name, list(frames), 0, 48, 64)


def test_frames_are_matched_by_name(tmp_path):
    labels = np.zeros((3, 6, 8), np.uint8)
    labels[1, :3] = 2  # the middle frame, 00005
    ids = np.zeros((96, 128), np.uint8)
    ids[:48] = 1
    write_mask(tmp_path / "00005.png", ids)
    write_mask(tmp_path / "00007.png", 1 - ids)  # a frame that the store does not have
    assert clip_overlaps(labels, clip("a"), tmp_path) == {"best_overlap": {"1": 1.0}, "annotated_frames": 1}


def test_a_clip_whose_annotations_hold_no_object_is_not_measured(tmp_path):
    labels = np.ones((3, 6, 8), np.uint8)
    assert clip_overlaps(labels, clip("a"), tmp_path) == {}
    write_mask(tmp_path / "00000.png", np.zeros((48, 64), np.uint8))
    assert clip_overlaps(labels, clip("a"), tmp_path) == {}


def test_summary_counts_every_object_the_same():
    clips = {"a": {"best_overlap": {"1": 0.5, "2": 0.1}}, "b": {}, "c": {"best_overlap": {"1": 0.9}}, "d": {}, "e": {}}
    assert summarise_overlaps(clips) == {
        "best_overlap_mean": 0.5,
        "annotated_objects": 3,
        "annotated_clips": 2,
        "clips_without_annotation": 3,
    }
    assert "best_overlap_mean" not in summarise_overlaps({"a": {}})


@pytest.mark.parametrize("below", ["", "480p"])
def test_both_layouts_and_clips_without_a_folder(tmp_path, below):
    for name in ("a", "c", "stranger"):
        (tmp_path / below / name).mkdir(parents=True)
    found = find_annotations(str(tmp_path), [clip("a"), clip("b"), clip("c")])
    assert found == {name: tmp_path / below / name for name in ("a", "c")}


def test_folders_that_cannot_be_right_are_named(tmp_path):
    assert find_annotations("", [clip("a")]) == {}
    with pytest.raises(UserError, match=r"measuring_only: .*gone is no folder"):
        find_annotations(str(tmp_path / "gone"), [clip("a")])
    with pytest.raises(UserError, match="no folder for any of the 2 training clips, such as a"):
        find_annotations(str(tmp_path), [clip("a"), clip("b")])
