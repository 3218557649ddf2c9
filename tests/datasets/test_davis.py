import logging
from pathlib import Path

import numpy as np
import pytest

from maskvos.datasets.davis import open_davis, read_split
from maskvos.errors import UserError
from tests.datasets.layouts import write_images, write_masks

FRAMES = [f"{index:05d}" for index in range(5)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("zebra", "ant"):
        write_images(tmp_path / "JPEGImages" / "480p" / name, FRAMES)
    masks = {frame: [1, 2] for frame in FRAMES}
    write_masks(tmp_path / "Annotations" / "480p" / "zebra", {**masks, "00000": [2, 255], "00003": [1, 2, 3]})
    write_masks(tmp_path / "Annotations" / "480p" / "ant", {"00000": [1]})
    (tmp_path / "ImageSets" / "2017").mkdir(parents=True)
    (tmp_path / "ImageSets" / "2017" / "val.txt").write_text("zebra\nant\n\n")
    return tmp_path


def test_sequences_in_the_order_of_the_list(root: Path):
    zebra, ant = open_davis(root, "val")
    assert (zebra.name, ant.name) == ("zebra", "ant")
    assert zebra.frames == FRAMES
    assert zebra.annotated_frames == FRAMES
    assert ant.annotated_frames == ["00000"]  # as in test-dev


OLD_LINE = "/JPEGImages/480p/{0}/{1}.jpg /Annotations/480p/{0}/{1}.png \n"


@pytest.mark.parametrize("folder", ["2016", "480p"])
def test_lists_of_2016_are_names_or_images_with_their_annotations(root: Path, folder: str):
    (root / "ImageSets" / folder).mkdir()
    lines = [OLD_LINE.format(name, frame) for name in ("zebra", "bear") for frame in FRAMES]
    for text in ("zebra\nbear\n", "".join(lines)):
        (root / "ImageSets" / folder / "val.txt").write_text(text)
        assert read_split(root, "val", 2016) == ["zebra", "bear"]
    assert read_split(root, "val") == ["zebra", "ant"]


def test_without_a_list_of_2016_that_of_2017_is_taken_and_said(root: Path, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING):
        assert read_split(root, "val", 2016) == ["zebra", "ant"]
    assert "no list of DAVIS-2016 here" in caplog.text
    with pytest.raises(UserError, match="splits here: val"):
        read_split(root, "train", 2016)


def test_objects_are_those_of_the_first_frame(root: Path):
    zebra, ant = open_davis(root, "val")
    assert zebra.first_frames == {2: "00000"}
    assert ant.first_frames == {1: "00000"}


def test_first_and_last_frame_are_not_scored(root: Path):
    assert open_davis(root, "val")[0].scored_frames == FRAMES[1:-1]


def test_images_are_rgb_and_annotations_ids(root: Path):
    zebra, ant = open_davis(root, "val")
    image = zebra.image("00003")
    assert image.shape == (8, 12, 3)
    assert image.dtype == np.uint8
    assert np.abs(image.astype(int) - [30, 100, 200]).max() <= 4
    assert zebra.annotation("00003")[0, :4].tolist() == [1, 2, 3, 0]
    assert ant.annotation("00001") is None


def test_damaged_image_is_named(root: Path):
    path = root / "JPEGImages" / "480p" / "ant" / "00002.jpg"
    whole = path.read_bytes()
    for damaged in (b"", whole[: len(whole) - 40]):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=r"ant/00002\.jpg: missing or damaged"):
            open_davis(root, "val")[1].image("00002")


def test_missing_list_and_frames_are_named(root: Path):
    with pytest.raises(UserError, match=r"test-dev\.txt: no such list of sequences; splits here: val"):
        open_davis(root, "test-dev")
    (root / "ImageSets" / "2017" / "train.txt").write_text("zebra\nlion\n")
    with pytest.raises(UserError, match="no frames of sequence lion"):
        open_davis(root, "train")
    (root / "ImageSets" / "2017" / "empty.txt").write_text("\n")
    with pytest.raises(UserError, match="list of sequences is empty"):
        open_davis(root, "empty")


def test_real_sequences(shared_data: Path):
    sequences = {sequence.name: sequence for sequence in open_davis(shared_data / "DAVIS", "val")}
    assert len(sequences) == 12
    assert sequences["bmx-trees"].first_frames == {1: "00000", 2: "00000"}
    assert len(sequences["bmx-trees"].scored_frames) == 78
    assert sequences["goat"].image("00010").shape == (480, 854, 3)


def test_a_list_in_another_encoding_is_named(root: Path):
    path = root / "ImageSets/2017/val.txt"
    path.write_bytes("caf\u00e9\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"val\.txt: the list of sequences is not in UTF-8"):
        open_davis(root, "val")
