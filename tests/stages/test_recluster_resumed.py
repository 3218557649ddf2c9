"""An interrupted re-clustering goes on behind the clips it has finished, and mixes in none of another run."""

import json
import shutil

import pytest
import yaml

import stages.recluster
from maskvos.errors import UserError
from maskvos.networks.files import save_network, untrained_encoder
from maskvos.params import read_all_params
from tests.stages.reclustering import SIZES, change, run, write_clips, write_frames


@pytest.fixture
def folder(tmp_path):
    return write_clips(tmp_path)


def interrupt(folder, monkeypatch):
    """A run that ends after its first clip."""

    def one_clip(*arguments, **options):
        yield next(whole(*arguments, **options))
        raise KeyboardInterrupt

    whole = stages.recluster.cluster_clips
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(stages.recluster, "cluster_clips", one_clip)
        run(folder, "out", checkpoints=folder / "kept")


def test_memory_that_runs_out_says_what_to_lower_and_keeps_what_is_done(folder, monkeypatch):
    def too_large(*arguments, **options):
        yield next(whole(*arguments, **options))
        raise MemoryError

    whole = stages.recluster.cluster_clips
    with monkeypatch.context() as patched:
        patched.setattr(stages.recluster, "cluster_clips", too_large)
        with pytest.raises(UserError, match=r"recluster: out of memory \(MemoryError\).*lower clustering\.short_side"):
            run(folder, "out", checkpoints=folder / "kept")
    assert run(folder, "out", checkpoints=folder / "kept")[1]["clips_of_an_earlier_run"] == 1


def files(args):
    return args.output.read_bytes(), args.statistics.read_bytes()


@pytest.mark.parametrize("backend", ["faiss", "torch"])
def test_the_bytes_of_a_run_without_a_break(folder, monkeypatch, backend):
    change(folder, backend=backend)
    whole, _ = run(folder, "whole")
    interrupt(folder, monkeypatch)
    assert not (folder / "out").exists()
    args, record = run(folder, "out", checkpoints=folder / "kept")
    assert files(args) == files(whole)
    assert (record["clips"], record["clips_of_an_earlier_run"]) == (2, 1)
    assert not list((folder / "kept").iterdir())


def test_the_order_of_the_store_is_kept(folder, monkeypatch):
    """Where a later clip alone is there already."""
    interrupt(folder, monkeypatch)
    (kept,) = (folder / "kept").glob("*/ducks.*")
    whole, _ = run(folder, "whole", checkpoints=folder / "other")
    kept.rename(kept.with_stem("trees"))  # labels of the wrong clip: seen in the result, so that it was used
    args, record = run(folder, "out", checkpoints=folder / "kept")
    assert list(json.loads(args.statistics.read_text())["clips"]) == list(SIZES)
    assert record["clips_of_an_earlier_run"] == 1 and files(args) != files(whole)


def test_a_collapse_that_is_only_to_be_warned_of_costs_no_second_clustering(folder, monkeypatch):
    def collapsed(*_):
        raise UserError("collapsed")

    with monkeypatch.context() as patched, pytest.raises(UserError, match="collapsed"):
        patched.setattr(stages.recluster, "judge_clustering", collapsed)
        run(folder, "out", checkpoints=folder / "kept")
    _, record = run(folder, "out", checkpoints=folder / "kept")
    assert record["clips_of_an_earlier_run"] == 2 and "frames_per_second" not in record  # nothing was measured


@pytest.mark.parametrize("other", ["round", "clustering", "backend", "seed", "version", "frames", "weights"])
def test_another_run_starts_afresh(folder, monkeypatch, other):
    interrupt(folder, monkeypatch)
    changes = {"round_": 1} if other == "round" else {}
    if other == "clustering":
        change(folder, clusters=4)
    if other == "backend":
        change(folder, backend="torch")
    if other in ("seed", "version"):
        params = yaml.safe_load((folder / "params.yaml").read_text())
        params["versions"]["recluster"] += other == "version"
        (folder / "params.yaml").write_text(yaml.safe_dump(params | {"seed": 5 if other == "seed" else params["seed"]}))
    if other == "frames":
        shutil.rmtree(folder / "frames")
        write_frames(folder, longer=1)
    if other == "weights":
        networks = read_all_params(folder / "params.yaml").networks
        save_network(folder / "weights", untrained_encoder(networks, 4), "encoder", networks)
    _, record = run(folder, "out", checkpoints=folder / "kept", **changes)
    assert "clips_of_an_earlier_run" not in record
    assert not list((folder / "kept").iterdir())


def test_without_a_folder_nothing_is_kept(folder):
    assert "clips_of_an_earlier_run" not in run(folder)[1]
