"""The DAVIS protocol: the official figures on real video, and a plain reference on random masks."""

import csv
import logging
from pathlib import Path

import numpy as np
import pytest

from maskvos.datasets.davis import annotation_files, read_split
from maskvos.errors import UserError
from maskvos.evaluation.davis import evaluate_davis
from maskvos.evaluation.result import Result
from maskvos.evaluation.statistics import FIGURES
from maskvos.storage.masks import write_mask
from tests.evaluation.masks import make_dataset, random_ids, with_first, write_sequence
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


def test_frames_without_padding_are_scored_in_the_order_of_their_numbers(tmp_path: Path):
    random = np.random.default_rng(5)
    truth, predicted = (with_first(random, (19, 23), [1, 2], 12) for _ in range(2))
    figures = []
    for digits in (5, 1):
        for folder, masks in (("truth", truth), ("predictions", predicted)):
            for number, ids in enumerate(masks):
                write_mask(tmp_path / f"{digits}" / folder / "clip" / f"{number:0{digits}d}.png", ids)
        figures.append(evaluate_davis(tmp_path / f"{digits}" / "truth", tmp_path / f"{digits}" / "predictions").objects)
    assert figures[0] == figures[1]


def test_a_misspelt_sequence_is_said_to_be_one(tmp_path: Path):
    root = make_dataset(tmp_path / "root", {"clip": with_first(np.random.default_rng(0), (19, 23), [1], 4)})
    with pytest.raises(UserError, match=r"clap: no such sequence in the ground truth"):
        evaluate_davis(root, tmp_path, sequences=["clap"])
