"""The generated set is what it says, costs are measured, and figures that differ do not pass."""

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import evaluation, evaluation_floor, process_cost
from benchmarks.evaluation_peers import Contestant, floor, ours
from benchmarks.evaluation_set import SEQUENCES, SIZE, make_set
from maskvos.storage.masks import read_mask

SMALL = {"one": (6, 2), "other": (4, 3)}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_set(tmp_path_factory.mktemp("set"), SMALL)


def test_as_long_as_davis_val():
    assert len(SEQUENCES) == 30
    assert sum(frames for frames, _ in SEQUENCES.values()) == 1999
    assert sum(objects for _, objects in SEQUENCES.values()) == 59


def test_lengths_are_the_real_ones(shared_data: Path):
    for folder in (shared_data / "DAVIS" / "Annotations" / "480p").iterdir():
        assert len(list(folder.iterdir())) == SEQUENCES[folder.name][0], folder.name


def test_every_object_is_there_from_the_first_frame_and_predictions_are_close(small: tuple[Path, Path]):
    root, predictions = small
    for name, (frames, objects) in SMALL.items():
        for index in range(frames):
            truth, prediction = (
                read_mask(folder / name / f"{index:05d}.png") for folder in (root / "Annotations" / "480p", predictions)
            )
            assert truth.shape == prediction.shape == SIZE
            assert (truth == prediction).mean() > 0.8
            assert (truth != prediction).any()
            if not index:
                assert np.unique(truth).tolist() == list(range(objects + 1))


def test_the_same_set_again(small: tuple[Path, Path], tmp_path: Path):
    again = make_set(tmp_path, SMALL)
    for first, second in zip(small, again, strict=True):
        files = sorted(path for path in first.rglob("*") if path.is_file())
        assert files
        assert all(path.read_bytes() == (second / path.relative_to(first)).read_bytes() for path in files)


def test_a_set_that_is_there_is_taken(small: tuple[Path, Path]):
    before = small[0].stat().st_mtime_ns
    assert make_set(small[0].parent.parent, {}) == small
    assert small[0].stat().st_mtime_ns == before


def test_the_floor_decodes_everything(small: tuple[Path, Path]):
    folders = [small[0] / "Annotations" / "480p", small[1]]
    assert evaluation_floor.main(2, folders) == 2 * 10 * SIZE[0] * SIZE[1]


def test_costs_of_a_command_and_of_what_it_starts():
    child = "import time; block = bytearray(60_000_000); time.sleep(0.3)"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}]); sum(range(10**7))"
    cost = process_cost.run([sys.executable, "-c", program])
    assert cost.wall_s > 0.3
    assert 60 < cost.memory_mb < 200


def test_a_command_that_fails_says_why():
    with pytest.raises(RuntimeError, match=r"ended with 3.*no such luck"):
        process_cost.run([sys.executable, "-c", "print('no such luck'); raise SystemExit(3)"])


def test_each_run_has_predictions_of_its_own(small: tuple[Path, Path]):
    def command(root: Path, predictions: Path, output: Path) -> list[str]:
        leave = f"open({str(predictions / 'results.csv')!r}, 'x'); open({str(output)!r}, 'x')"
        return [sys.executable, "-c", leave]

    leaves = Contestant("leaves a file", 1, command, {})
    costs = evaluation.measure([leaves, leaves], 2, *small)
    assert len(costs) == 2
    assert not (small[1] / "results.csv").exists()


def test_ours_and_the_floor_run_and_are_tabulated(small: tuple[Path, Path]):
    contestants = [ours(2), floor(1)]
    costs = evaluation.measure(contestants, 1, *small)
    rows = evaluation.tabulate(contestants, costs, costs[1])
    assert [row["speed_up"] for row in rows][1] == 1.0
    table = evaluation.to_markdown(rows, ["a note"])
    assert "| maskvos evaluate | 2 |" in table
    assert table.endswith("- a note\n")


def test_figures_that_differ_are_seen(small: tuple[Path, Path]):
    figures = evaluation.our_figures(*small)
    assert list(figures) == ["one_1", "one_2", "other_1", "other_2", "other_3"]
    assert evaluation.largest_difference(figures, figures) == 0
    other = {**figures, "one_2": {**figures["one_2"], "F_decay": figures["one_2"]["F_decay"] - 1e-3}}
    assert evaluation.largest_difference(figures, other) == pytest.approx(1e-3)
    with pytest.raises(ValueError, match="objects differ"):
        evaluation.largest_difference(figures, {"one_1": figures["one_1"]})
