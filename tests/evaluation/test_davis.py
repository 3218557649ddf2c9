"""The DAVIS protocol: the official figures on real video, a plain reference on random masks, clean errors."""

import csv
import logging
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskvos.datasets.davis import annotation_files, read_split
from maskvos.errors import UserError
from maskvos.evaluation.davis import evaluate_davis
from maskvos.evaluation.result import Result
from maskvos.evaluation.statistics import FIGURES
from maskvos.storage.masks import write_mask
from tests.evaluation.masks import random_ids, write_sequence
from tests.evaluation.reference import boundary_f, jaccard, statistics


def assert_equals_official(result: Result, table: Path):
    with table.open() as file:
        rows = {row.pop("object"): row for row in csv.DictReader(file)}
    found = {**result.objects, "MEAN": result.mean}
    assert list(found) == list(rows)
    for name, row in rows.items():
        assert {f: found[name][f] for f in FIGURES} == pytest.approx({f: float(row[f]) for f in FIGURES}, abs=1e-6), (
            name
        )


def test_osvos_scores_as_the_official_evaluator_prints(shared_data: Path):
    predictions = shared_data / "peer_results" / "osvos"
    names = sorted(folder.name for folder in predictions.iterdir())
    result = evaluate_davis(shared_data / "DAVIS", predictions, processes=2, sequences=names)
    assert_equals_official(result, shared_data / "peer_results" / "osvos_official.csv")


@pytest.mark.parametrize("dataset", ["DAVIS", "DAVIS-multi"])
def test_delayed_ground_truth_scores_as_the_official_evaluator_prints(shared_data: Path, tmp_path: Path, dataset: str):
    root = shared_data / dataset
    for name in read_split(root, "val"):
        files = annotation_files(root, name)
        (tmp_path / name).mkdir()
        for index, frame in enumerate(files):
            delayed = list(files.values())[max(0, index - 5)]
            (tmp_path / name / f"{frame}.png").symlink_to(delayed.resolve())
    result = evaluate_davis(root, tmp_path, processes=2)
    assert_equals_official(result, shared_data / "peer_results" / f"lag5_{dataset}_official.csv")


def make_dataset(root: Path, sequences: dict[str, list[np.ndarray]]) -> Path:
    for name, masks in sequences.items():
        write_sequence(root / "Annotations" / "480p" / name, masks)
    split = root / "ImageSets" / "2017" / "val.txt"
    split.parent.mkdir(parents=True)
    split.write_text("\n".join(sequences) + "\n")
    return root


def with_first(random: np.random.Generator, size: tuple[int, int], ids: list[int], count: int) -> list[np.ndarray]:
    """Random masks whose first one certainly holds every id."""
    masks = [random_ids(random, *size, ids) for _ in range(count)]
    masks[0][0, : len(ids)] = ids
    return masks


@pytest.mark.parametrize("frames", [3, 4, 5, 12])
@pytest.mark.parametrize("ids", [[1], [1, 2, 3], [1, 3]], ids=str)
def test_random_sequences_equal_the_reference(tmp_path: Path, frames: int, ids: list[int]):
    random = np.random.default_rng([frames, *ids])
    truth = with_first(random, (19, 23), ids, frames)
    predicted = with_first(random, (19, 23), ids, frames)
    root = make_dataset(tmp_path / "root", {"clip": truth})
    write_sequence(tmp_path / "predictions" / "clip", predicted)
    result = evaluate_davis(root, tmp_path / "predictions")
    assert list(result.objects) == [f"clip_{identity}" for identity in range(1, max(ids) + 1)]
    for identity in range(1, max(ids) + 1):
        pairs = [(t == identity, p == identity) for t, p in zip(truth[1:-1], predicted[1:-1], strict=True)]
        expected = (*statistics([jaccard(*pair) for pair in pairs]), *statistics([boundary_f(*pair) for pair in pairs]))
        assert tuple(result.objects[f"clip_{identity}"].values()) == pytest.approx(expected, abs=1e-12)


def test_figures_do_not_depend_on_processes(tmp_path: Path):
    random = np.random.default_rng(0)
    clips = {name: with_first(random, (20, 30), [1, 2], 9) for name in "abc"}
    root = make_dataset(tmp_path / "root", clips)
    for name in clips:
        write_sequence(tmp_path / "predictions" / name, with_first(random, (20, 30), [1, 2], 9))
    steps: list[tuple[int, int]] = []
    one = evaluate_davis(root, tmp_path / "predictions", processes=1)
    many = evaluate_davis(root, tmp_path / "predictions", processes=5, progress=lambda *step: steps.append(step))
    assert one == many
    assert steps == [(count, 27) for count in range(1, 28)]  # first and last frames are read to be checked


def test_an_id_gap_is_scored_as_the_official_evaluator_does_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    masks = with_first(np.random.default_rng(1), (9, 9), [1, 3], 4)
    root = make_dataset(tmp_path / "root", {"gap": masks})
    with caplog.at_level(logging.WARNING):
        result = evaluate_davis(root, root / "Annotations" / "480p")
    assert result.objects["gap_2"]["J_mean"] == 1.0
    assert "[2] of sequence gap" in caplog.text


def test_void_pixels_are_background(tmp_path: Path):
    masks = [np.full((6, 6), 255, np.uint8) for _ in range(3)]
    for mask in masks:
        mask[2:4, 2:4] = 1
    root = make_dataset(tmp_path / "root", {"clip": masks})
    write_sequence(tmp_path / "predictions" / "clip", [np.where(mask == 1, mask, 0) for mask in masks])
    assert evaluate_davis(root, tmp_path / "predictions").mean["J&F_mean"] == 1.0


def test_2016_merges_all_objects_and_void_into_one(tmp_path: Path):
    random = np.random.default_rng(16)
    truth = [random_ids(random, 17, 23, [1, 4, 255]) for _ in range(6)]
    predicted = [random_ids(random, 17, 23, [2, 9, 255]) for _ in range(6)]
    truth[0][:] = 0  # the first frame does not decide whether there is an object
    root = make_dataset(tmp_path / "root", {"clip": truth})
    write_sequence(tmp_path / "predictions" / "clip", predicted)
    result = evaluate_davis(root, tmp_path / "predictions", year=2016)
    assert result.protocol == "DAVIS-2016 single object"
    assert list(result.objects) == ["clip_1"]
    pairs = [(t > 0, p > 0) for t, p in zip(truth[1:-1], predicted[1:-1], strict=True)]
    expected = (*statistics([jaccard(*pair) for pair in pairs]), *statistics([boundary_f(*pair) for pair in pairs]))
    assert tuple(result.objects["clip_1"].values()) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("year", [2016, 2017])
def test_a_plain_folder_of_masks_is_scored_whole(tmp_path: Path, year: int):
    random = np.random.default_rng(3)
    clips = {name: with_first(random, (9, 11), [1, 2], 4) for name in ("b", "a")}
    root = make_dataset(tmp_path / "root", clips)
    for name in clips:
        write_sequence(tmp_path / "predictions" / name, with_first(random, (9, 11), [1, 2], 4))
    whole = evaluate_davis(root / "Annotations" / "480p", tmp_path / "predictions", year=year)
    assert whole.set == "480p"
    assert list(whole.sequences) == ["a", "b"]
    assert whole.objects == evaluate_davis(root, tmp_path / "predictions", year=year).objects
    with pytest.raises(UserError, match="--set val needs ROOT/ImageSets"):
        evaluate_davis(root / "Annotations" / "480p", tmp_path / "predictions", "val")


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A ground truth of one clip and perfect predictions of it."""
    mask = np.zeros((8, 10), np.uint8)
    mask[2:5, 3:6] = 1
    mask[6, 6] = 2
    root = make_dataset(tmp_path / "root", {"clip": [mask] * 5})
    write_sequence(tmp_path / "predictions" / "clip", [mask] * 5)
    return root, tmp_path / "predictions"


def test_first_and_last_prediction_are_not_needed(pair: tuple[Path, Path]):
    for frame in ("00000", "00004"):
        (pair[1] / "clip" / f"{frame}.png").unlink()
    assert evaluate_davis(*pair).mean["J&F_mean"] == 1.0


def save_colours(path: Path):
    Image.new("RGB", (10, 8), (128, 0, 0)).save(path)


MISTAKES = {
    "missing": (Path.unlink, "lacks frame 00002"),
    "size": (lambda path: write_mask(path, np.zeros((8, 11), np.uint8)), "11x8.*10x8"),
    "id": (lambda path: write_mask(path, np.full((8, 10), 3, np.uint8)), "holds id 3, the sequence has 1, 2"),
    "grey levels": (lambda path: write_mask(path, np.full((8, 10), 255, np.uint8)), "holds id 255"),
    "colours": (save_colours, "mode RGB"),
    "damaged": (lambda path: path.write_bytes(path.read_bytes()[:60]), "damaged"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("processes", [1, 3])
def test_mistakes_are_errors_that_name_sequence_and_frame(pair: tuple[Path, Path], mistake: str, processes: int):
    spoil, message = MISTAKES[mistake]
    spoil(pair[1] / "clip" / "00002.png")
    with pytest.raises(UserError, match=message) as caught:
        evaluate_davis(*pair, processes=processes)
    assert "sequence clip" in str(caught.value)
    assert "frame 00002" in str(caught.value)


@pytest.mark.parametrize("frame", ["00000", "00004"])
@pytest.mark.parametrize("mistake", [name for name in MISTAKES if name != "missing"])
def test_first_and_last_prediction_are_checked_where_they_exist(pair: tuple[Path, Path], mistake: str, frame: str):
    spoil, message = MISTAKES[mistake]
    spoil(pair[1] / "clip" / f"{frame}.png")
    with pytest.raises(UserError, match=message) as caught:
        evaluate_davis(*pair)
    assert f"frame {frame}" in str(caught.value)


def test_first_and_last_prediction_do_not_count(pair: tuple[Path, Path]):
    for frame in ("00000", "00004"):
        write_mask(pair[1] / "clip" / f"{frame}.png", np.zeros((8, 10), np.uint8))
    assert evaluate_davis(*pair).mean["J&F_mean"] == 1.0


@pytest.mark.parametrize(
    ("stray", "message"),
    [("clpi/00000", "sequence clpi is none of this set"), ("clip/00007", "sequence clip has no frame 00007")],
)
def test_what_the_dataset_lacks_is_an_error(pair: tuple[Path, Path], stray: str, message: str):
    write_mask(pair[1] / f"{stray}.png", np.zeros((8, 10), np.uint8))
    with pytest.raises(UserError, match=message + ".*`--lenient` passes over this"):
        evaluate_davis(*pair)
    result = evaluate_davis(*pair, lenient=True)
    assert result.mean["J&F_mean"] == 1.0
    assert [fault.sequence for fault in result.forgiven] == [stray.split("/")[0]]
    assert message in result.forgiven[0].message


def test_what_belongs_to_the_dataset_or_is_hidden_is_no_stranger(pair: tuple[Path, Path]):
    root, predictions = pair
    for name in ("other/00000", ".cache/00000", "clip/.00007", "clip/00005"):
        write_mask(predictions / f"{name}.png", np.zeros((8, 10), np.uint8))
    (predictions / "global_results-val.csv").touch()  # the official evaluator leaves its tables there
    write_mask(root / "Annotations" / "480p" / "other" / "00000.png", np.ones((3, 3), np.uint8))  # of another split
    images = root / "JPEGImages" / "480p" / "clip"
    images.mkdir(parents=True)
    for frame in range(5):
        (images / f"{frame:05d}.jpg").touch()
    with pytest.raises(UserError, match="no frame 00005"):
        evaluate_davis(*pair)
    (predictions / "clip" / "00005.png").unlink()
    assert evaluate_davis(*pair).forgiven is None


@pytest.mark.parametrize("frame", ["00000", "00004"])
@pytest.mark.parametrize("mistake", [name for name in MISTAKES if name != "missing"])
def test_lenient_does_not_look_at_the_first_and_last_prediction(pair: tuple[Path, Path], mistake: str, frame: str):
    spoil, message = MISTAKES[mistake]
    spoil(pair[1] / "clip" / f"{frame}.png")
    result = evaluate_davis(*pair, lenient=True)
    assert result.scores == evaluate_davis(pair[0], pair[0] / "Annotations" / "480p").scores
    (fault,) = result.forgiven
    assert (fault.sequence, fault.frames) == ("clip", (frame,))
    assert re.search(message, fault.message)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_lenient_stops_where_the_official_tool_does(pair: tuple[Path, Path], mistake: str):
    spoil, message = MISTAKES[mistake]
    spoil(pair[1] / "clip" / "00002.png")
    with pytest.raises(UserError, match=message):
        evaluate_davis(*pair, lenient=True)


def test_lenient_scores_ids_in_a_gap(tmp_path: Path):
    """The official evaluator scores 1 to the highest id: a predicted id that is between counts against object 2."""
    mask = np.zeros((8, 10), np.uint8)
    mask[1:3, 1:4], mask[5:7, 5:8] = 1, 3
    root = make_dataset(tmp_path / "root", {"gap": [mask] * 4})
    predicted = [mask.copy() for _ in range(4)]
    predicted[1][0, 9] = 2
    write_sequence(tmp_path / "predictions" / "gap", predicted)
    with pytest.raises(UserError, match="frame 00001 holds id 2, the sequence has 1, 3"):
        evaluate_davis(root, tmp_path / "predictions")
    result = evaluate_davis(root, tmp_path / "predictions", lenient=True)
    assert {name: scores["J_mean"] for name, scores in result.objects.items()} == {"gap_1": 1, "gap_2": 0.5, "gap_3": 1}
    assert [(fault.sequence, fault.frames) for fault in result.forgiven] == [("gap", ("00001",))]


@pytest.mark.parametrize("count", [1, 2])
def test_sequences_too_short_are_an_error_or_left_out_and_said(tmp_path: Path, count: int):
    mask = np.eye(6, dtype=np.uint8)
    root = make_dataset(tmp_path / "root", {"short": [mask] * count, "long": [mask] * 3})
    predictions = root / "Annotations" / "480p"
    with pytest.raises(UserError, match=f"sequence short has {count} annotated frames"):
        evaluate_davis(root, predictions)
    result = evaluate_davis(root, predictions, lenient=True)
    assert list(result.objects) == ["long_1"]
    assert [fault.sequence for fault in result.forgiven] == ["short"]
    with pytest.raises(UserError, match="nothing to score"):
        evaluate_davis(root, predictions, lenient=True, sequences=["short"])


def test_a_first_annotation_without_an_object_gives_no_figure_if_forgiven(tmp_path: Path):
    empty, mask = np.zeros((6, 6), np.uint8), np.eye(6, dtype=np.uint8)
    root = make_dataset(tmp_path / "root", {"empty": [empty, mask, mask], "clip": [mask] * 3})
    write_sequence(tmp_path / "predictions" / "empty", [empty] * 3)
    write_sequence(tmp_path / "predictions" / "clip", [mask] * 3)
    with pytest.raises(UserError, match="no object in the first annotation of sequence empty, frame 00000"):
        evaluate_davis(root, tmp_path / "predictions")
    assert list(evaluate_davis(root, tmp_path / "predictions", lenient=True).objects) == ["clip_1"]
    write_mask(tmp_path / "predictions" / "empty" / "00001.png", mask)  # the official evaluator: an index too high
    with pytest.raises(UserError, match="sequence empty, frame 00001 holds id 1"):
        evaluate_davis(root, tmp_path / "predictions", lenient=True)


def test_missing_sequence_split_and_folder(pair: tuple[Path, Path], tmp_path: Path):
    root, predictions = pair
    with pytest.raises(UserError, match="no such folder of predictions"):
        evaluate_davis(root, tmp_path / "nowhere")
    with pytest.raises(UserError, match="splits here: val"):
        evaluate_davis(root, predictions, "test-dev")
    (predictions / "clip").rename(predictions / "other")
    for lenient in (False, True):
        with pytest.raises(UserError, match="Expected folders of its sequences, clip; found other"):
            evaluate_davis(root, predictions, lenient=lenient)


def test_ground_truth_that_the_server_keeps_leads_to_the_submission(pair: tuple[Path, Path]):
    root, predictions = pair
    (root / "ImageSets" / "2017" / "val.txt").rename(root / "ImageSets" / "2017" / "test-dev.txt")
    for frame in ("00001", "00002", "00003", "00004"):
        (root / "Annotations" / "480p" / "clip" / f"{frame}.png").unlink()
    with pytest.raises(UserError, match="maskvos evaluate submit davis"):
        evaluate_davis(root, predictions, "test-dev")


def test_too_few_annotations_are_said(tmp_path: Path):
    root = make_dataset(tmp_path / "root", {"short": [np.ones((4, 4), np.uint8)] * 2})
    with pytest.raises(UserError, match="sequence short has 2 annotated frames"):
        evaluate_davis(root, root / "Annotations" / "480p")
