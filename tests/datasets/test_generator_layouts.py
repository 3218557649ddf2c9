"""Generated files: what a reader of each layout finds is what was drawn."""

import json
from pathlib import Path

import numpy as np

from maskvos.datasets.generator_layouts import write_sequence, write_tables
from maskvos.datasets.sequences import open_layout
from maskvos.storage.masks import read_mask


def masks_with_a_late_object() -> list[np.ndarray]:
    masks = []
    for frame in range(4):
        mask = np.zeros((24, 32), np.uint8)
        mask[2:8, 2:8] = 1
        mask[12:20, 10 : 10 + [0, 1, 8, 8][frame]] = 2  # enters with a sliver
        masks.append(mask)
    return masks


def write(root: Path, layout: str, split: str) -> list[np.ndarray]:
    masks = masks_with_a_late_object()
    images = [np.full((24, 32, 3), 40 * frame, np.uint8) for frame in range(4)]
    write_tables(root, layout, split, {"a": write_sequence(root, layout, "a", images, masks)}, annotated=True)
    return masks


def test_davis(tmp_path: Path) -> None:
    masks = write(tmp_path, "davis", "val")
    (sequence,) = open_layout("davis", tmp_path, "val")
    assert sequence.frames == ["00000", "00001", "00002", "00003"]
    assert sequence.first_frames == {1: "00000"}
    for frame, mask in zip(sequence.frames, masks, strict=True):
        # an object that the first frame does not give is not part of the task
        np.testing.assert_array_equal(sequence.annotation(frame), np.where(mask == 1, 1, 0))
    assert np.abs(sequence.image("00002").astype(int) - 80).max() <= 2


def test_youtubevos_late_object(tmp_path: Path) -> None:
    masks = write(tmp_path, "youtubevos", "valid")
    (sequence,) = open_layout("youtubevos", tmp_path, "valid")
    assert sequence.frames == ["00000", "00005", "00010", "00015"]
    assert sequence.first_frames == {1: "00000", 2: "00010"}
    assert sequence.annotated_frames == ["00000", "00010"]
    np.testing.assert_array_equal(sequence.annotation("00010"), np.where(masks[2] == 2, 2, 0))
    truth = tmp_path / "ground_truth" / "Annotations" / "a"
    np.testing.assert_array_equal(read_mask(truth / "00005.png"), np.where(masks[1] == 1, 1, 0))
    np.testing.assert_array_equal(read_mask(truth / "00015.png"), masks[3])
    objects = json.loads((tmp_path / "meta.json").read_text())["videos"]["a"]["objects"]
    assert objects["2"]["frames"] == ["00010", "00015"]
