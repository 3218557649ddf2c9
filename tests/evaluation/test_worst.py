import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskvos.errors import UserError
from maskvos.evaluation import worst as module
from maskvos.evaluation.davis import evaluate_davis
from maskvos.evaluation.frames import FrameScores
from maskvos.evaluation.ground_truth import find_davis
from maskvos.evaluation.mistakes import Caption, draw_mistakes
from maskvos.evaluation.result import Result
from maskvos.evaluation.worst import Scene, check_folder, write_worst
from tests.evaluation.masks import write_sequence


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """Ten frames, two objects: the first is predicted less and less, the second is right but for frame 4."""
    truth = np.zeros((40, 60), np.uint8)
    truth[5:35, 5:25], truth[5:35, 35:55] = 1, 2
    predictions = [truth.copy() for _ in range(10)]
    for place, mask in enumerate(predictions):
        mask[5 : 5 + 2 * place, 5:25] = 0
    predictions[4][5:34, 35:55] = 0
    root = tmp_path / "root"
    write_sequence(root / "Annotations" / "480p" / "clip", [truth] * 10)
    write_sequence(tmp_path / "predictions" / "clip", predictions)
    return Scene(find_davis(root), tmp_path / "predictions")


def write(scene: Scene, count: int, folder: Path, year: int = 2017) -> list[dict[str, str]]:
    result = evaluate_davis(scene.truth.root, scene.predictions, sequences=["clip"], year=year)
    write_worst(result, scene, count, folder)
    with (folder / "worst.csv").open() as file:
        return list(csv.DictReader(file))


def test_worst_first_and_a_table_of_them(scene: Scene, tmp_path: Path):
    rows = write(scene, 3, tmp_path / "worst")
    assert [(row["sequence"], row["frame"], row["object"]) for row in rows] == [
        ("clip", "00004", "2"),
        ("clip", "00008", "1"),
        ("clip", "00003", "1"),
    ]
    assert [row["file"] for row in rows] == ["1_clip_00004_2.png", "2_clip_00008_1.png", "3_clip_00003_1.png"]
    assert float(rows[1]["J"]) == pytest.approx(14 / 30, abs=1e-8)
    assert {path.name for path in (tmp_path / "worst").iterdir()} == {"worst.csv", *(row["file"] for row in rows)}
    with Image.open(tmp_path / "worst" / rows[0]["file"]) as picture:
        assert picture.mode == "RGB"
        assert picture.width == 960


def test_pictures_use_the_datasets_images(scene: Scene, tmp_path: Path):
    write(scene, 1, tmp_path / "grey")
    folder = tmp_path / "root" / "JPEGImages" / "480p" / "clip"
    folder.mkdir(parents=True)
    Image.new("RGB", (60, 40), (250, 10, 10)).save(folder / "00004.jpg")
    write(scene, 1, tmp_path / "red")
    grey, red = (np.array(Image.open(tmp_path / name / "1_clip_00004_2.png"))[300, 500] for name in ("grey", "red"))
    assert grey[0] == grey[1] == grey[2]
    assert int(red[0]) > int(red[1]) + 60


def test_merged_objects_are_one(scene: Scene, tmp_path: Path):
    merged = Scene(scene.truth, scene.predictions, merged=True)
    assert write(merged, 1, tmp_path / "worst", year=2016)[0]["object"] == "1"
    merged_picture = np.array(Image.open(tmp_path / "worst" / "1_clip_00004_1.png"))
    write(scene, 1, tmp_path / "other", year=2016)
    picture = np.array(Image.open(tmp_path / "other" / "1_clip_00004_1.png"))
    assert merged_picture[15 * 16, 45 * 16].tolist() == [155, 76, 120]  # the second object is missed
    assert picture[15 * 16, 45 * 16].tolist() == [96, 96, 96]


def test_j_and_f_count_alike_and_are_said(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    said = []

    def draw(*given: object) -> np.ndarray:
        said.append(given[3])
        return draw_mistakes(*given)

    monkeypatch.setattr(module, "draw_mistakes", draw)
    values = {("clip", 1): (0.2, 0.9), ("clip", 2): (0.45, 0.4)}
    frames = {key: FrameScores(("00005",), np.array([J]), np.array([F])) for key, (J, F) in values.items()}
    write_worst(Result.of_frames("protocol", frames), scene, 2, tmp_path / "worst")
    assert said == [
        Caption("clip   frame 00005   object 2", "J 45.0   F 40.0   J&F 42.5"),
        Caption("clip   frame 00005   object 1", "J 20.0   F 90.0   J&F 55.0"),
    ]


def test_a_damaged_image_leaves_the_older_pictures(scene: Scene, tmp_path: Path):
    write(scene, 1, tmp_path / "worst")
    folder = tmp_path / "root" / "JPEGImages" / "480p" / "clip"
    folder.mkdir(parents=True)
    (folder / "00008.jpg").write_bytes(b"no image")
    with pytest.raises(UserError, match=r"00008\.jpg"):
        write(scene, 3, tmp_path / "worst")
    assert {path.name for path in (tmp_path / "worst").iterdir()} == {"worst.csv", "1_clip_00004_2.png"}
    assert not list(tmp_path.glob(".worst*"))


def test_only_pictures_of_an_earlier_evaluation_are_replaced(scene: Scene, tmp_path: Path):
    folder = tmp_path / "worst"
    check_folder(folder, [])
    folder.mkdir()
    check_folder(folder, [])
    write(scene, 2, folder)
    check_folder(folder, [tmp_path / "metrics.json"])
    (folder / "mine.png").touch()
    with pytest.raises(UserError, match=r"worst: holds mine\.png, which is no picture"):
        check_folder(folder, [])
    with pytest.raises(UserError, match=r"predictions: holds clip"):
        check_folder(scene.predictions, [])
    with pytest.raises(UserError, match=r"holds mine\.png"):
        check_folder(folder / "mine.png", [])
    with pytest.raises(UserError, match=r"would delete .*new/a/metrics\.json"):
        check_folder(tmp_path / "new", [tmp_path / "new" / "a" / "metrics.json"])
