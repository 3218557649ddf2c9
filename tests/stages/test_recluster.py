"""The stage on a small store of frames: files, their content, repeatability, errors."""

import json
import shutil

import faiss
import numpy as np
import pytest
import torch
import yaml

from maskvos.errors import UserError
from maskvos.learning.pseudo_masks import keep_clusters
from maskvos.networks.files import save_network, untrained_encoder
from maskvos.params import read_all_params
from maskvos.storage.frames import FrameStore
from maskvos.storage.masks import read_mask, write_mask
from maskvos.storage.weights import load_weights
from stages.recluster import PARAMETERS
from tests.stages.reclustering import SIZES, change, run, write_clips


@pytest.fixture
def folder(tmp_path):
    return write_clips(tmp_path)


def test_files_hold_what_they_promise(folder):
    args, record = run(folder)
    tensors, description = load_weights(args.output)
    content = json.loads(args.statistics.read_text())
    assert record["clips"] == 2 and record["frames"] == 8
    assert description["kind"] == "pseudo_masks" and description["round"] == 0
    assert description["frames"] == FrameStore(folder / "frames").fingerprint
    assert description["clustering"]["position_weight"] == 0.5
    assert tensors.keys() == content["clips"].keys() == SIZES.keys()
    for name, (count, height, width) in SIZES.items():
        labels, entry = tensors[name], content["clips"][name]
        assert labels.dtype == torch.uint8 and labels.shape == (count, height // 8, width // 8)
        sizes = [int((labels == number).sum()) for number in range(1, entry["kept"] + 1)]
        assert sizes == entry["sizes"][len(entry["sizes"]) - entry["kept"] :] == sorted(sizes, reverse=True)
        assert labels.max() == entry["kept"]
        assert all(share <= 0.4 for share in entry["shares"][-entry["kept"] :])
    assert content["summary"]["clips"] == 2


def test_same_bytes_again_and_with_more_threads(folder):
    first, _ = run(folder)
    params = yaml.safe_load((folder / "params.yaml").read_text())
    params["runtime"]["threads"] = 2
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    second, _ = run(folder, "second")
    assert first.output.read_bytes() == second.output.read_bytes()
    assert first.statistics.read_bytes() == second.statistics.read_bytes()


def test_comparison_with_the_round_before(folder):
    first, _ = run(folder)
    again, _ = run(folder, "again", previous_pseudo_masks=first.output)
    summary = json.loads(again.statistics.read_text())["summary"]
    assert summary["agreement_mean"] == 1 and summary["clips_compared"] == 2
    later, _ = run(folder, "later", round_=1, previous_pseudo_masks=first.output)  # other random numbers
    assert load_weights(later.output)[1]["round"] == 1
    change(folder, short_side=32)
    other, _ = run(folder, "other", previous_pseudo_masks=first.output)
    assert "agreement_mean" not in json.loads(other.statistics.read_text())["summary"]


def test_trunk_features_and_bf16(folder):
    plain, _ = run(folder)
    change(folder, features="trunk")
    trunk, _ = run(folder, "trunk")
    assert trunk.output.read_bytes() != plain.output.read_bytes()
    params = yaml.safe_load((folder / "params.yaml").read_text())
    (folder / "params.yaml").write_text(yaml.safe_dump(params | {"precision": "bf16"}))
    half, _ = run(folder, "half")
    assert load_weights(half.output)[0].keys() == SIZES.keys()


def test_a_clip_with_nothing_left_is_stored_empty_and_counted(folder, monkeypatch):
    def without_ducks(assignment, clusters, oversize):
        return keep_clusters(assignment, clusters, 1e-9 if assignment.shape[0] == 3 else oversize)

    monkeypatch.setattr("maskvos.learning.pseudo_masks.keep_clusters", without_ducks)
    args, _ = run(folder)
    assert not load_weights(args.output)[0]["ducks"].any()
    summary = json.loads(args.statistics.read_text())["summary"]
    assert summary["clips_with_nothing_left"] == 1 and summary["kept_histogram"]["0"] == 1


def test_most_clips_with_nothing_left_is_a_collapse_unless_only_warned_of(folder, monkeypatch):
    def without_ducks(assignment, clusters, oversize):
        return keep_clusters(assignment, clusters, 1e-9 if assignment.shape[0] == 3 else oversize)

    monkeypatch.setattr("maskvos.learning.pseudo_masks.keep_clusters", without_ducks)
    params = yaml.safe_load((folder / "params.yaml").read_text())
    params["collapse"]["max_empty_clips"] = 0.4
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    with pytest.raises(UserError, match="Of 2 clips, 1 have no cluster left"):
        run(folder)
    assert not (folder / "first").exists()
    params["collapse"]["action"] = "warn"
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    assert run(folder)[0].output.exists()


def test_nothing_left_anywhere_is_an_error_and_writes_nothing(folder):
    change(folder, oversize=0.01)
    with pytest.raises(UserError, match="oversize"):
        run(folder)
    assert not (folder / "first").exists()


def test_diverged_weights_are_named(folder):
    networks = read_all_params(folder / "params.yaml").networks
    encoder = untrained_encoder(networks, 3)
    encoder.head[-1].weight.data.fill_(3e38)  # finite, as the file must be; its products are not
    save_network(folder / "weights", encoder, "encoder", networks)
    with pytest.raises(UserError, match=r"weights: the features of clip ducks are not finite"):
        run(folder)


def test_weights_are_no_pseudo_masks(folder):
    with pytest.raises(UserError, match="expected pseudo masks"):
        run(folder, previous_pseudo_masks=folder / "weights" / "model.safetensors")


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_torch_backend(folder, precision):
    params = yaml.safe_load((folder / "params.yaml").read_text()) | {"precision": precision}
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    plain, _ = run(folder, "plain")
    change(folder, backend="torch")
    torch_, record = run(folder, "torch")
    again, _ = run(folder, "again")
    assert record["backend"] == "torch"
    assert torch_.output.read_bytes() == again.output.read_bytes()
    one, other = (json.loads(args.statistics.read_text())["clips"] for args in (plain, torch_))
    for name in SIZES:
        assert other[name]["objective"] == pytest.approx(one[name]["objective"], rel=1e-3)


def test_the_round_before_is_found_beside_the_weights(folder):
    first, _ = run(folder)
    shutil.copytree(folder / "weights", folder / "first" / "weights")
    second, _ = run(folder, "second", round_=1, weights=folder / "first" / "weights")
    summary = json.loads(second.statistics.read_text())["summary"]
    assert summary["clips_compared"] == 2 and "agreement_mean" in summary
    assert "agreement_mean" not in json.loads(first.statistics.read_text())["summary"]


def test_what_a_killed_run_left_beside_the_weights_is_not_the_round_before(folder):
    shutil.copytree(folder / "weights", folder / "first" / "weights")
    first, _ = run(folder, weights=folder / "first" / "weights")
    statistics = first.statistics.read_bytes()
    first.statistics.unlink()
    assert run(folder, weights=folder / "first" / "weights")[0].statistics.read_bytes() == statistics


def annotate(folder, name="ducks", number=1):
    """Annotations of another size than the frames: the left half is an object; one frame, or a damaged file."""
    ids = np.zeros((96, 128), np.uint8)
    ids[:, :64] = number
    write_mask(folder / "Annotations" / name / "00001.png", ids)


def test_annotations_change_the_statistics_and_not_one_byte_of_the_pseudo_masks(folder, monkeypatch):
    plain, _ = run(folder)
    annotate(folder)
    opened = []

    def read(path):
        assert (folder / opened_for / "pseudo_masks.safetensors").is_file()  # what is learned from was written before
        opened.append(path)
        return read_mask(path)

    monkeypatch.setattr("maskvos.evaluation.best_overlap.read_mask", read)
    change(folder, train_annotations_for_measuring_only=str(folder / "Annotations"))
    opened_for = "measured"
    measured, _ = run(folder, "measured")
    annotate(folder, number=9)
    annotate(folder, "trees")
    opened_for = "other"
    other, _ = run(folder, "other")
    assert len(opened) == 3
    assert plain.output.read_bytes() == measured.output.read_bytes() == other.output.read_bytes()

    content = [json.loads(args.statistics.read_text()) for args in (plain, measured, other)]
    assert "best_overlap" not in str(content[0])
    summary, entry = content[1]["summary"], content[1]["clips"]["ducks"]
    assert (summary["annotated_objects"], summary["clips_without_annotation"]) == (1, 1)
    assert entry["best_overlap"].keys() == {"1"} and entry["annotated_frames"] == 1
    assert summary["best_overlap_mean"] == entry["best_overlap"]["1"] > 0
    assert content[2]["clips"]["ducks"]["best_overlap"] == {"9": entry["best_overlap"]["1"]}
    assert content[2]["summary"]["annotated_clips"] == 2
    for name in SIZES:  # all else is as it was
        kept = {key: value for key, value in content[1]["clips"][name].items() if key in content[0]["clips"][name]}
        assert kept == content[0]["clips"][name]


def test_no_artifact_names_the_annotations(folder):
    annotate(folder)
    change(folder, train_annotations_for_measuring_only=str(folder / "Annotations"))
    args, record = run(folder)
    written = args.output.read_bytes() + args.statistics.read_bytes() + json.dumps(record).encode()
    assert b"Annotations" not in written and str(folder).encode() not in written


def test_a_wrong_folder_of_annotations_stops_before_any_work(folder, monkeypatch):
    monkeypatch.setattr("stages.recluster.cluster", lambda *_: pytest.fail("clustered"))
    change(folder, train_annotations_for_measuring_only=str(folder / "gone"))
    with pytest.raises(UserError, match="train_annotations_for_measuring_only"):
        run(folder)


def test_faiss_gpu_build_is_asked_for(folder):
    if hasattr(faiss, "StandardGpuResources"):
        pytest.skip("faiss's GPU build is installed")
    change(folder, backend="faiss_gpu")
    with pytest.raises(UserError, match="maskvos\\[faiss-gpu\\]"):
        run(folder)
    assert not (folder / "first").exists()


def test_declared_parameters():
    assert PARAMETERS == ("seed", "precision", "networks", "clustering", "versions.recluster")
