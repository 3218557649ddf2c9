"""Predictions beside the ground truth."""

import json

from maskvos.report.predictions import prediction_galleries
from maskvos.report.records import Result, read_results
from tests.report.tree import FRAMES, disc, make_params, make_tree, write_frame, write_mask


def test_predictions_beside_the_ground_truth(tmp_path):
    artifacts, _ = make_tree(tmp_path)
    galleries = prediction_galleries(artifacts, "davis", read_results(artifacts, make_params().plan)["davis"])
    assert [gallery.name for gallery in galleries] == ["dog", "cart", "ball"]  # from the best to the worst
    strips = galleries[0].strips
    assert [strip.title for strip in strips[:3]] == ["Ground truth", "Full method", "Correspondence only"]
    assert strips[1].score == "J&F 62.0"
    assert len({image for strip in strips[:2] for image in strip.images}) == 4
    assert galleries[0].first.startswith("data:image/jpeg")


def test_missing_prediction_leaves_a_gap(tmp_path):
    artifacts, _ = make_tree(tmp_path)
    for path in (artifacts / "evaluation/davis/full/predictions/dog").glob("*.png"):
        path.unlink()
    galleries = prediction_galleries(artifacts, "davis", read_results(artifacts, make_params().plan)["davis"])
    assert galleries[0].strips[1].images == [None, None]


def test_youtube_takes_the_ground_truth_beside_the_split(tmp_path):
    frames = [f"{5 * number:05d}" for number in range(FRAMES)]
    for number, name in enumerate(frames):
        write_frame(tmp_path / f"valid/JPEGImages/a/{name}.jpg", number)
        write_mask(tmp_path / f"valid_ground_truth/Annotations/a/{name}.png", disc(number))
    write_mask(tmp_path / "valid/Annotations/a/00000.png", disc(0))
    manifest = {"layout": "youtubevos", "split": "valid", "root": str(tmp_path / "valid")}
    (tmp_path / "data").mkdir()
    path = tmp_path / "data/y.json"
    path.write_text(json.dumps({**manifest, "sequences": [{"name": "a", "frames": FRAMES}]}))
    unscored = [Result("y", "full", "none", {}, {}, 0)]
    (with_truth,) = prediction_galleries(tmp_path, "y", unscored)
    assert all(with_truth.strips[0].images)
    assert with_truth.strips[1].images == [None, None]
    (tmp_path / "valid_ground_truth").rename(tmp_path / "elsewhere")
    (without,) = prediction_galleries(tmp_path, "y", unscored)
    assert without.strips[0].images == [None, None]
    assert with_truth.first == without.first != ""


def test_nothing_to_show(tmp_path):
    assert prediction_galleries(tmp_path, "davis", []) == []


def test_ground_truth_of_frames_without_an_image_is_passed_over(tmp_path):
    frames = [f"{5 * number:05d}" for number in range(FRAMES)]
    for number, name in enumerate(frames):
        if number % 2 == 0:
            write_frame(tmp_path / f"valid/JPEGImages/a/{name}.jpg", number)
        write_mask(tmp_path / f"valid_ground_truth/Annotations/a/{name}.png", disc(number))
    write_mask(tmp_path / "valid/Annotations/a/00000.png", disc(0))
    manifest = {"layout": "youtubevos", "split": "valid", "root": str(tmp_path / "valid")}
    (tmp_path / "data").mkdir()
    content = {**manifest, "sequences": [{"name": "a", "frames": (FRAMES + 1) // 2}]}
    (tmp_path / "data/y.json").write_text(json.dumps(content))
    (gallery,) = prediction_galleries(tmp_path, "y", [Result("y", "full", "none", {}, {}, 0)])
    assert all(gallery.strips[0].images)
