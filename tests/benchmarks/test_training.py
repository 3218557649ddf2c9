"""The benchmarks of training run, both loaders make the same kind of samples, and the counts are the paper's."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from benchmarks.training import stages
from benchmarks.training_loader import BATCH, compare, plain_samples, stage_samples
from benchmarks.training_steps import STAGES, cells, measure, samples_in_all
from maskvos.composition import compose
from maskvos.storage.frames import FrameStore
from maskvos.training.batch_cropping import see_cuts
from tests.tiny import BACKBONE, NETWORKS, write_frames

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("training")
    write_frames(folder / "frames", clips=3)
    return FrameStore(folder / "frames")


@pytest.fixture
def content():
    small = compose(Path(), ["preset=demo"])
    cropping = {"short_side": [48, 64], "crop": 32, "zoom": [0.5, 1.0]}
    for section in ("correspondence", "segmentation"):
        small[section] |= {"cropping": cropping, "batch": 2}
    return small | {"backbone_pretraining": BACKBONE, "networks": NETWORKS}


def test_both_loaders_make_the_same_crops(store, content):
    plain, ours = plain_samples(store, content), stage_samples(store, content, BATCH)
    assert set(plain) == set(ours) == set(STAGES)
    for name in ("global_crops", "local_crops"):
        assert plain["DINO"][0][name].shape == ours["DINO"][0][name].shape
    one = plain["correspondence"][0]["frames"]
    batch = next(ours["correspondence"].batches(0, 1, 0, pinned=False))
    assert see_cuts(batch, 32, "frames")["frames"].shape[1:] == one.shape == (3, 3, 32, 32)
    assert one.dtype == torch.uint8


def test_every_stage_has_its_row(store, content):
    rows = compare(store, content, 0, 8, 1)
    assert [row[0] for row in rows] == list(STAGES)
    assert all(float(row[1]) > 0 < float(row[2]) for row in rows)


@pytest.mark.parametrize("name", STAGES)
def test_steps_are_measured(store, content, name):
    measured = measure(name, store, content, 2, 1, 0, CPU, "fp32")
    assert measured.batch == 2 and measured.rest > 0 < measured.loaded
    assert 0 < measured.waiting < 1 and measured.gflop > 0 and measured.memory > 1
    assert len(cells(measured, 100.0, content, name)) == 9


def test_the_table_of_stages(store, content, capsys):
    options = {"device": "cpu", "threads": 1, "workers": 0, "runs": 1, "batch": 2, "steps": 1}
    stages(SimpleNamespace(frames=store.folder, **options), content)
    printed = capsys.readouterr().out
    assert all(f"| {name} | 2 |" in printed for name in STAGES) and "matrix products run at" in printed


def test_the_papers_counts():
    content = compose(Path(), ["preset=paper_r18"])
    assert samples_in_all("DINO", content) == pytest.approx(28.4e6, rel=0.003)
    assert samples_in_all("correspondence", content) == 300 * 216 * 16
    assert samples_in_all("segmentation", content) == 100 * 216 * 16
