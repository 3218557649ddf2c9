"""The protocols from files to figures against plain loops: hundreds of generated masks with all that trips evaluators.

Empty masks on either side, objects that vanish, touch the border or are a single pixel, ten objects, gaps between ids,
void, odd sizes, the shortest sequences.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from maskvos.evaluation.davis import evaluate_davis
from maskvos.evaluation.result import Result
from maskvos.evaluation.youtubevos import evaluate_youtubevos
from tests.evaluation import reference
from tests.evaluation.masks import random_ids, random_sequence, write_sequence

SIZES = [(1, 1), (1, 9), (7, 1), (2, 2), (5, 4), (13, 17), (16, 21), (3, 170)]  # the last: a radius of 2
IDS = {"one": [1], "three": [1, 2, 3], "gap": [2, 5], "ten": list(range(1, 11)), "high": [1, 3, 12]}
Clips = dict[str, tuple[list[np.ndarray], list[np.ndarray]]]


def make_clips(seed: list[int], ids: list[int], lengths: list[int]) -> Clips:
    random = np.random.default_rng(seed)
    fitting = [size for size in SIZES if size[0] * size[1] >= len(ids)]
    return {
        f"{index}-{size[0]}x{size[1]}": random_sequence(random, *size, ids, lengths[index % len(lengths)])
        for index, size in enumerate(fitting)
    }


def write_clips(folder: Path, clips: Clips) -> tuple[Path, Path]:
    for name, (truth, predicted) in clips.items():
        write_sequence(folder / "truth" / name, truth)
        write_sequence(folder / "predictions" / name, predicted)
    return folder / "truth", folder / "predictions"


def assert_equal(result: Result, expected: dict[str, dict[int, tuple[float, ...]]]):
    figures = {f"{name}_{identity}": row for name, rows in expected.items() for identity, row in rows.items()}
    assert set(result.objects) == set(figures)
    for name, row in figures.items():
        assert tuple(result.objects[name].values()) == pytest.approx(row, abs=1e-12), name
    overall = np.mean(list(figures.values()), 0)
    assert tuple(result.mean.values())[1:] == pytest.approx(tuple(overall), abs=1e-12)
    assert result.mean["J&F_mean"] == pytest.approx((overall[0] + overall[3]) / 2, abs=1e-12)


@pytest.mark.parametrize("ids", IDS)
@pytest.mark.parametrize("seed", [0, 1])
def test_davis_2017(tmp_path: Path, ids: str, seed: int):
    clips = make_clips([seed, len(ids)], IDS[ids], [3, 4, 6, 9])
    result = evaluate_davis(*write_clips(tmp_path, clips), lenient=True)  # an exchanged id may meet a gap
    assert_equal(result, {name: reference.davis_2017(*pair) for name, pair in clips.items()})


@pytest.mark.parametrize("ids", IDS)
def test_davis_2016(tmp_path: Path, ids: str):
    clips = make_clips([16, len(ids)], IDS[ids], [3, 5, 7])
    result = evaluate_davis(*write_clips(tmp_path, clips), year=2016)
    assert_equal(result, {name: reference.davis_2016(*pair) for name, pair in clips.items()})


@pytest.mark.parametrize("ids", IDS)
@pytest.mark.parametrize("listed", [False, True])
def test_youtubevos(tmp_path: Path, ids: str, listed: bool):
    """With lists, objects begin anywhere and miss frames; without, they begin where they are seen first."""
    clips = make_clips([18, len(ids)], IDS[ids], [2, 3, 6])
    random = np.random.default_rng(len(ids))
    lists: dict[str, dict[int, list[int]] | None] = dict.fromkeys(clips)
    for name, (truth, _) in clips.items():
        if listed:
            lists[name] = {identity: _choose(random, len(truth)) for identity in IDS[ids]}
    root, predictions = write_clips(tmp_path, clips)
    if listed:
        videos = {name: {"objects": _entries(objects)} for name, objects in lists.items()}
        (root / "meta.json").write_text(json.dumps({"videos": videos}))
    result = evaluate_youtubevos(root, predictions, lenient=True)  # a clip may have nothing to score
    assert_equal(result, {name: reference.youtubevos(*pair, lists[name]) for name, pair in clips.items()})


def _choose(random: np.random.Generator, count: int) -> list[int]:
    return sorted(random.choice(count, random.integers(1, count + 1), replace=False).tolist())


def _entries(objects: dict[int, list[int]]) -> dict[str, dict[str, list[str]]]:
    return {str(identity): {"frames": [f"{frame:05d}" for frame in frames]} for identity, frames in objects.items()}


@pytest.mark.parametrize("size", [(150, 200), (480, 854)], ids=str)
def test_images_of_a_usual_size(tmp_path: Path, size: tuple[int, int]):
    """A radius of 2 and of 8 pixels; objects near enough to each other that the tolerance decides."""
    truth = np.zeros(size, np.uint8)
    truth[5:14, -21:], truth[-9:, :6] = 1, 2
    predicted = np.zeros(size, np.uint8)
    predicted[3:24, -33:], predicted[-12:-2, :8] = 1, 2
    clips = {"clip": ([truth] * 3, [truth, predicted, truth])}
    result = evaluate_davis(*write_clips(tmp_path, clips))
    assert 0 < result.objects["clip_1"]["F_mean"] < 1
    assert_equal(result, {"clip": reference.davis_2017(*clips["clip"])})


def test_no_frame_is_exchanged_for_another(tmp_path: Path):
    """More frames than 8 bits count, each with figures of its own."""
    random = np.random.default_rng(300)
    truth = [random_ids(random, 6, 7, [1]) for _ in range(300)]
    truth[0][0, 0] = 1
    clips = {"clip": (truth, [random_ids(random, 6, 7, [1]) for _ in range(300)])}
    result = evaluate_davis(*write_clips(tmp_path, clips), processes=3)
    assert_equal(result, {"clip": reference.davis_2017(*clips["clip"])})
