"""Archives for the servers: what is in them, that they are the same each time, and what is refused."""

import json
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image

from maskvos.cli import main
from maskvos.errors import UserError
from maskvos.evaluation.submission import list_entries, pack
from maskvos.storage.masks import read_mask, write_mask
from tests.datasets.layouts import write_images, write_masks

FRAMES = ["00000", "00005", "00010", "00015"]


def write_predictions(folder: Path, frames: list[str] = FRAMES):
    random = np.random.default_rng(0)
    for name in ("b", "a"):
        for frame in frames:
            write_mask(folder / name / f"{frame}.png", random.integers(0, 3, (8, 12), dtype=np.uint8))


@pytest.fixture
def davis(tmp_path: Path) -> tuple[Path, Path]:
    """test-dev: two sequences with two objects, first annotations only; and predictions that fit."""
    root = tmp_path / "DAVIS"
    for name in ("b", "a"):
        write_images(root / "JPEGImages" / "480p" / name, FRAMES)
        write_masks(root / "Annotations" / "480p" / name, {FRAMES[0]: [1, 2, 255]})
    (root / "ImageSets" / "2017").mkdir(parents=True)
    (root / "ImageSets" / "2017" / "test-dev.txt").write_text("b\na\n")
    write_predictions(tmp_path / "predictions")
    return root, tmp_path / "predictions"


@pytest.fixture
def youtube(tmp_path: Path) -> tuple[Path, Path]:
    """valid: in b object 2 begins late and the last frame is listed for nobody; a has one object."""
    root = tmp_path / "valid"
    for name in ("b", "a"):
        write_images(root / "JPEGImages" / name, FRAMES)
        write_masks(root / "Annotations" / name, {FRAMES[0]: [1]})
    write_masks(root / "Annotations" / "b", {FRAMES[1]: [2]})
    objects = {"b": {"1": FRAMES[:2], "2": FRAMES[1:3]}, "a": {"1": FRAMES, "2": FRAMES}}
    videos = {name: {"objects": {i: {"frames": f} for i, f in entry.items()}} for name, entry in objects.items()}
    (root / "meta.json").write_text(json.dumps({"videos": videos}))
    write_predictions(tmp_path / "predictions")
    return root, tmp_path / "predictions"


def submit(server: str, root: Path, predictions: Path, output: Path, *more: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", "submit", server, "--predictions", str(predictions), "--images", str(root), "--output",
              str(output), *more])  # fmt: skip
    return int(ended.value.code or 0)


def test_davis_wants_every_frame_at_the_top(davis: tuple[Path, Path], tmp_path: Path):
    assert submit("davis", *davis, tmp_path / "out" / "mine.zip") == 0
    with ZipFile(tmp_path / "out" / "mine.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [f"{name}/{frame}.png" for name in ("a", "b") for frame in FRAMES]
        archive.extractall(tmp_path / "unpacked")
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    for file in davis[1].rglob("*.png"):
        assert (read_mask(tmp_path / "unpacked" / file.relative_to(davis[1])) == read_mask(file)).all()


def test_youtubevos_wants_the_listed_frames_below_annotations(youtube: tuple[Path, Path], tmp_path: Path):
    assert submit("youtubevos", *youtube, tmp_path / "mine.zip") == 0
    expected = [f"Annotations/a/{frame}.png" for frame in FRAMES]
    expected += [f"Annotations/b/{frame}.png" for frame in FRAMES[:3]]
    assert ZipFile(tmp_path / "mine.zip").namelist() == expected


def test_without_meta_youtubevos_gets_every_image(youtube: tuple[Path, Path]):
    (youtube[0] / "meta.json").unlink()
    write_masks(youtube[0] / "Annotations" / "a", {FRAMES[1]: [2]})
    assert len(list_entries("youtubevos", *youtube, "valid")) == 8


def test_the_same_predictions_give_the_same_bytes(davis: tuple[Path, Path], tmp_path: Path):
    assert submit("davis", *davis, tmp_path / "one.zip") == 0
    copy = tmp_path / "copy"
    for file in sorted(davis[1].rglob("*.png"), reverse=True):  # other times, other order on the disk
        (copy / file.parent.name).mkdir(parents=True, exist_ok=True)
        (copy / file.parent.name / file.name).write_bytes(file.read_bytes())
    assert submit("davis", davis[0], copy, tmp_path / "two.zip") == 0
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_a_manifest_names_root_split_and_sequences(davis: tuple[Path, Path], tmp_path: Path):
    content = {"layout": "davis", "root": str(davis[0]), "split": "test-dev", "sequences": [{"name": "a", "frames": 4}]}
    (tmp_path / "set.json").write_text(json.dumps(content))
    for file in (davis[1] / "b").iterdir():
        file.unlink()
    (davis[1] / "b").rmdir()
    assert submit("davis", tmp_path / "set.json", davis[1], tmp_path / "mine.zip") == 0
    assert len(ZipFile(tmp_path / "mine.zip").namelist()) == 4
    assert submit("youtubevos", tmp_path / "set.json", davis[1], tmp_path / "other.zip") == 2


def save(mode: str, colour: object):
    return lambda path: Image.new(mode, (12, 8), colour).save(path)


MISTAKES = {
    "missing": (Path.unlink, "lacks frame 00010"),
    "size": (lambda path: write_mask(path, np.zeros((12, 8), np.uint8)), "8x12, the image is 12x8"),
    "id": (lambda path: write_mask(path, np.full((8, 12), 3, np.uint8)), "holds id 3, the sequence has 1, 2"),
    "void": (lambda path: write_mask(path, np.full((8, 12), 255, np.uint8)), "holds id 255"),
    "colours": (save("RGB", (1, 0, 0)), "mode RGB"),
    "grey": (save("L", 1), "grey PNG .mode L."),
    "damaged": (lambda path: path.write_bytes(path.read_bytes()[:60]), "damaged"),
}


@pytest.mark.parametrize("server", ["davis", "youtubevos"])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_and_nothing_is_written(
    request: pytest.FixtureRequest, server: str, mistake: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    root, predictions = request.getfixturevalue("davis" if server == "davis" else "youtube")
    spoil, message = MISTAKES[mistake]
    spoil(predictions / "b" / "00010.png")
    (tmp_path / "out").mkdir()
    assert submit(server, root, predictions, tmp_path / "out" / "mine.zip") == 2
    assert not list((tmp_path / "out").iterdir())
    with pytest.raises(UserError, match=message) as caught:
        list(pack(list_entries(server, root, predictions, "test-dev"), tmp_path / "out" / "mine.zip"))
    assert "sequence b" in str(caught.value)
    assert "frame 00010" in str(caught.value)
    assert str(caught.value) in capsys.readouterr().err


def test_strangers_and_wrong_folders_are_refused(davis: tuple[Path, Path], tmp_path: Path):
    root, predictions = davis
    (tmp_path / "other" / "a_clip").mkdir(parents=True)
    with pytest.raises(UserError, match="Expected folders of its sequences, b, a; found a_clip"):
        list_entries("davis", root, tmp_path / "other", "test-dev")
    write_mask(predictions / "a" / "00020.png", np.zeros((8, 12), np.uint8))
    with pytest.raises(UserError, match="sequence a has no frame 00020"):
        list_entries("davis", root, predictions, "test-dev")
    (predictions / "a" / "00020.png").rename(predictions / "a" / ".00020.png")
    (predictions / "c").mkdir()
    with pytest.raises(UserError, match="sequence c is none of this set"):
        list_entries("davis", root, predictions, "test-dev")


def test_an_archive_that_stood_there_stays(davis: tuple[Path, Path], tmp_path: Path):
    (tmp_path / "mine.zip").write_bytes(b"older")
    (davis[1] / "b" / "00010.png").unlink()
    assert submit("davis", *davis, tmp_path / "mine.zip") == 2
    assert (tmp_path / "mine.zip").read_bytes() == b"older"
    assert submit("davis", *davis, tmp_path / "mine.tar") == 2


def test_real_clip_of_youtubevos(shared_data: Path, tmp_path: Path):
    root = shared_data / "YouTubeVOS"
    assert submit(
        "youtubevos", root / "valid", root / "valid_ground_truth" / "Annotations", tmp_path / "mine.zip"
    ) == 0  # fmt: skip
    assert len(ZipFile(tmp_path / "mine.zip").namelist()) == 15


@pytest.mark.parametrize("content", [b"garbage", b""])
def test_a_damaged_image_is_named(davis: tuple[Path, Path], tmp_path: Path, content: bytes):
    root, predictions = davis
    (root / "JPEGImages/480p/a/00005.jpg").write_bytes(content)
    with pytest.raises(UserError, match=r"a/00005\.jpg: missing or damaged image"):
        list(pack(list_entries("davis", root, predictions, "test-dev"), tmp_path / "sub.zip"))
    assert not (tmp_path / "sub.zip").exists()
