"""The YouTube-VOS layout: late objects, listed frames, seen and unseen categories."""

import json
from pathlib import Path

import numpy as np
import pytest

from maskvos.datasets.youtubevos import read_meta
from maskvos.errors import UserError
from maskvos.evaluation.youtubevos import evaluate_youtubevos
from maskvos.storage.masks import write_mask
from tests.evaluation.masks import random_ids, write_sequence
from tests.evaluation.reference import boundary_f, jaccard, statistics

FRAMES = [f"{index * 5:05d}" for index in range(6)]


def make_masks(seed: int) -> list[np.ndarray]:
    """Six frames; object 1 from the first on, object 4 from the third on."""
    random = np.random.default_rng(seed)
    masks = [random_ids(random, 15, 21, [1]) for _ in range(2)] + [random_ids(random, 15, 21, [1, 4]) for _ in range(4)]
    masks[0][0, 0] = 1
    masks[2][0, 0] = 4
    return masks


def make_dataset(root: Path, truth: list[np.ndarray], entries: dict[str, dict] | None) -> Path:
    write_sequence(root / "ground_truth" / "Annotations" / "clip", truth, step=5)
    write_sequence(root / "Annotations" / "clip", truth[:1], step=5)
    if entries is not None:
        (root / "meta.json").write_text(json.dumps({"videos": {"clip": {"objects": entries}}}))
    return root


def expected(
    truth: list[np.ndarray], predicted: list[np.ndarray], identity: int, frames: list[int]
) -> tuple[float, ...]:
    pairs = [(truth[frame] == identity, predicted[frame] == identity) for frame in frames]
    return (*statistics([jaccard(*pair) for pair in pairs]), *statistics([boundary_f(*pair) for pair in pairs]))


@pytest.mark.parametrize("with_meta", [True, False])
def test_each_object_counts_after_its_own_first_frame(tmp_path: Path, with_meta: bool):
    truth, predicted = make_masks(0), make_masks(1)
    entries = {"4": {"category": "cat", "frames": FRAMES[2:]}, "1": {"category": "dog", "frames": FRAMES}}
    root = make_dataset(tmp_path / "valid", truth, entries if with_meta else None)
    write_sequence(tmp_path / "predictions" / "clip", predicted, step=5)
    result = evaluate_youtubevos(root, tmp_path / "predictions", processes=2)
    assert list(result.objects) == ["clip_1", "clip_4"]
    for identity, frames in ((1, [1, 2, 3, 4, 5]), (4, [3, 4, 5])):
        found = tuple(result.objects[f"clip_{identity}"].values())
        assert found == pytest.approx(expected(truth, predicted, identity, frames), abs=1e-12)
    assert not result.groups


def test_only_listed_frames_are_scored(tmp_path: Path):
    truth, predicted = make_masks(2), make_masks(3)
    listed = [FRAMES[0], FRAMES[1], FRAMES[3]]
    root = make_dataset(tmp_path / "valid", truth, {"1": {"frames": listed}, "4": {"frames": FRAMES[5:]}})
    write_sequence(tmp_path / "predictions" / "clip", predicted, step=5)
    for frame in (FRAMES[0], FRAMES[2], FRAMES[4]):
        (tmp_path / "predictions" / "clip" / f"{frame}.png").unlink()
    result = evaluate_youtubevos(root, tmp_path / "predictions")
    assert list(result.objects) == ["clip_1"]  # object 4 is given on the last frame: nothing is left to score
    assert tuple(result.objects["clip_1"].values()) == pytest.approx(expected(truth, predicted, 1, [1, 3]), abs=1e-12)


def test_a_listed_frame_without_ground_truth_is_an_error_or_forgiven(tmp_path: Path):
    truth = make_masks(2)
    root = make_dataset(tmp_path / "valid", truth, {"1": {"frames": [*FRAMES[:4], "00999"]}})
    write_sequence(tmp_path / "predictions" / "clip", truth, step=5)
    with pytest.raises(UserError, match=r"no ground truth of frame 00999 of sequence clip.*1 of 4 frames"):
        evaluate_youtubevos(root, tmp_path / "predictions")
    result = evaluate_youtubevos(root, tmp_path / "predictions", lenient=True)
    assert result.objects["clip_1"]["J_mean"] == 1.0
    assert next((fault.sequence, fault.frames) for fault in result.forgiven or ()) == ("clip", ("00999",))


def test_seen_categories_come_from_the_train_split_or_the_entry(tmp_path: Path):
    entries = {"1": {"category": "dog", "frames": FRAMES}, "4": {"category": "cat", "frames": FRAMES[2:]}}
    root = make_dataset(tmp_path / "valid", make_masks(4), entries)
    write_sequence(tmp_path / "predictions" / "clip", make_masks(5), step=5)
    train = {"videos": {"other": {"objects": {"1": {"category": "dog", "frames": ["00000"]}}}}}
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "meta.json").write_text(json.dumps(train))
    result = evaluate_youtubevos(root, tmp_path / "predictions")
    assert result.groups == {"seen": [("clip", 1)], "unseen": [("clip", 4)]}
    assert result.group_means["unseen"]["J_mean"] == result.objects["clip_4"]["J_mean"]
    (tmp_path / "train" / "meta.json").unlink()
    marked = {identity: {**entry, "seen": entry["category"] == "cat"} for identity, entry in entries.items()}
    (root / "meta.json").write_text(json.dumps({"videos": {"clip": {"objects": marked}}}))
    assert evaluate_youtubevos(root, tmp_path / "predictions").groups == {
        "seen": [("clip", 4)],
        "unseen": [("clip", 1)],
    }


def test_a_split_of_unknown_categories_is_said_to_have_no_overall_figure(tmp_path: Path, caplog):
    root, predictions = tmp_path / "valid", tmp_path / "predictions"
    masks = [np.eye(8, dtype=np.uint8)] * 3
    for folder in (root / "Annotations", predictions):
        write_sequence(folder / "clip", masks)
    assert evaluate_youtubevos(root, predictions).overall is None
    assert f"{tmp_path}/train/meta.json would tell" in caplog.text
    caplog.clear()
    evaluate_youtubevos(root / "Annotations", predictions)
    assert not caplog.text


def test_overall_is_the_mean_of_j_and_f_of_seen_and_unseen(tmp_path: Path):
    """Two objects seen, one not: a mean over objects would weigh the groups by their size."""
    random = np.random.default_rng(8)
    truth, predicted = ([random_ids(random, 15, 21, [1, 2, 3]) for _ in FRAMES] for _ in range(2))
    entries = {str(identity): {"frames": FRAMES, "seen": identity < 3} for identity in (1, 2, 3)}
    root = make_dataset(tmp_path / "valid", truth, entries)
    write_sequence(tmp_path / "predictions" / "clip", predicted, step=5)
    result = evaluate_youtubevos(root, tmp_path / "predictions")
    figures = {identity: expected(truth, predicted, identity, [1, 2, 3, 4, 5]) for identity in (1, 2, 3)}
    similarity, accuracy = ({identity: row[column] for identity, row in figures.items()} for column in (0, 3))
    seen = [(values[1] + values[2]) / 2 for values in (similarity, accuracy)]
    assert result.overall == pytest.approx((sum(seen) + similarity[3] + accuracy[3]) / 4, abs=1e-12)
    assert result.overall != pytest.approx(result.mean["J&F_mean"], abs=1e-3)


def test_a_plain_folder_of_masks_is_scored_whole(tmp_path: Path):
    root = make_dataset(tmp_path / "valid", make_masks(4), None)
    write_sequence(tmp_path / "predictions" / "clip", make_masks(5), step=5)
    plain = root / "ground_truth" / "Annotations"
    assert evaluate_youtubevos(plain, tmp_path / "predictions").objects == (
        evaluate_youtubevos(root, tmp_path / "predictions").objects
    )
    entries = {"clip": {"objects": {"1": {"frames": FRAMES[:3]}, "4": {"frames": FRAMES[2:]}}}}
    (plain / "meta.json").write_text(json.dumps({"videos": entries}))
    found = evaluate_youtubevos(plain, tmp_path / "predictions").objects["clip_1"]
    assert tuple(found.values()) == pytest.approx(expected(make_masks(4), make_masks(5), 1, [1, 2]), abs=1e-12)


def test_unknown_id_and_missing_ground_truth_are_errors(tmp_path: Path):
    entries = {"1": {"frames": FRAMES}, "4": {"frames": FRAMES[2:]}}
    root = make_dataset(tmp_path / "valid", make_masks(6), entries)
    predicted = make_masks(7)
    predicted[3][5, 5] = 2
    write_sequence(tmp_path / "predictions" / "clip", predicted, step=5)
    with pytest.raises(UserError, match=r"sequence clip, frame 00015 holds id 2, the sequence has 1, 4"):
        evaluate_youtubevos(root, tmp_path / "predictions")
    (root / "ground_truth").rename(root / "elsewhere")
    with pytest.raises(UserError, match="ground truth of first frames only"):
        evaluate_youtubevos(root, tmp_path / "predictions")


def test_lenient_passes_over_what_need_not_change_a_figure(tmp_path: Path):
    entries = {"1": {"frames": FRAMES[:4]}, "4": {"frames": FRAMES[2:4]}}
    root = make_dataset(tmp_path / "valid", make_masks(6), entries)
    predicted = make_masks(7)
    write_sequence(tmp_path / "predictions" / "clip", predicted, step=5)
    exact = evaluate_youtubevos(root, tmp_path / "predictions")
    assert exact.forgiven is None
    predicted[3][(predicted[3] == 0) & (np.arange(21) > 10)] = 2
    write_sequence(tmp_path / "predictions" / "clip", predicted, step=5)
    write_sequence(tmp_path / "predictions" / "other", predicted[:1])
    (tmp_path / "predictions" / "clip" / "00003.png").write_bytes(b"")
    (tmp_path / "predictions" / "clip" / "00025.png").write_bytes(b"not scored")
    result = evaluate_youtubevos(root, tmp_path / "predictions", lenient=True)
    assert result.scores == exact.scores
    assert [(fault.sequence, fault.frames) for fault in result.forgiven] == [
        ("other", ()),
        ("clip", ("00003",)),
        ("clip", ("00025",)),
        ("clip", ("00015",)),
    ]


def test_a_sequence_with_nothing_to_score_is_an_error_or_left_out_and_said(tmp_path: Path):
    masks = make_masks(6)
    write_sequence(tmp_path / "plain" / "clip", masks[:2])
    write_sequence(tmp_path / "plain" / "still", masks[:1])
    with pytest.raises(UserError, match="nothing to score in sequence still"):
        evaluate_youtubevos(tmp_path / "plain", tmp_path / "plain")
    result = evaluate_youtubevos(tmp_path / "plain", tmp_path / "plain", lenient=True)
    assert list(result.objects) == ["clip_1"]
    assert [fault.sequence for fault in result.forgiven] == ["still"]


def test_real_clip_against_itself_and_a_copy_of_its_first_mask(shared_data: Path, tmp_path: Path):
    root = shared_data / "YouTubeVOS" / "valid"
    truth = shared_data / "YouTubeVOS" / "valid_ground_truth" / "Annotations"
    result = evaluate_youtubevos(root, truth)
    assert len(result.objects) == 5
    assert result.mean["J&F_mean"] == 1.0
    clip = next(truth.iterdir())
    files = sorted(clip.iterdir())
    (tmp_path / clip.name).mkdir()
    for file in files:
        (tmp_path / clip.name / file.name).symlink_to(files[0].resolve())
    assert 0 < evaluate_youtubevos(root, tmp_path).mean["J&F_mean"] < 1


def test_frames_without_padding_are_scored_in_the_order_of_their_numbers(tmp_path: Path):
    truth, predicted = make_masks(0), make_masks(1)
    figures = []
    for case, names in (("padded", FRAMES), ("bare", [str(int(frame)) for frame in FRAMES])):
        root = tmp_path / case
        for folder, masks in (("truth", truth), ("predictions", predicted)):
            for name, ids in zip(names, masks, strict=True):
                write_mask(root / folder / "clip" / f"{name}.png", ids)
        figures.append(evaluate_youtubevos(root / "truth", root / "predictions").objects)
    assert figures[0] == figures[1]
    entries = {"1": {"category": "cat", "frames": ["20", "5", "10", "0", "15"]}}
    root = make_dataset(tmp_path / "listed", truth, entries)
    assert read_meta(root)["clip"][1]["frames"] == ["0", "5", "10", "15", "20"]
