"""Tracking against a literal implementation that keeps every frame, and the protocol's corners."""

from functools import partial

import numpy as np
import pytest
import torch

from maskvos.errors import UserError
from maskvos.inference.beside import with_lab
from maskvos.inference.geometry import pad_to_stride, plan_geometry, to_grid, to_working, working_masks
from maskvos.inference.methods import MaskEmbedding
from maskvos.inference.propagate import propagate_labels, segment_sequence
from maskvos.networks.images import normalise
from maskvos.networks.model import MaskVOS
from tests.inference.dense import dense
from tests.inference.literal import segment
from tests.inference.stubs import CPU, StubModel, colours, moving_square, settings, video
from tests.plain.networks import leaves, settle
from tests.plain.precision import code_in_float64
from tests.tasks import new_model
from tests.tiny import networks


def squares(height, width, **boxes):
    """Ids with one box an object, as ``o3=(top, left, side)``."""
    ids = np.zeros((height, width), np.uint8)
    for name, (top, left, side) in boxes.items():
        ids[top : top + side, left : left + side] = int(name[1:])
    return ids


def labels(frames, given, **changes):
    return list(propagate_labels(frames, given, colours, settings(**changes), CPU))


@pytest.mark.parametrize("stride", [8, 16])
def test_labels_equal_a_literal_loop_over_all_frames(stride):
    """Eq. 8 in float64 with every key and mask kept: five frames, two objects, odd size."""
    frames, first = video(6, 35, 43), squares(35, 43, o2=(3, 4, 14), o7=(15, 22, 17))
    features = partial(colours, stride=stride)
    got = list(propagate_labels(frames, {"00000": first}, features, settings(), CPU, stride))
    geometry = plan_geometry(35, 43, None, stride)
    height, width = geometry.grid
    keys = [
        features(torch.from_numpy(image).permute(2, 0, 1)[None])[0].permute(1, 2, 0).double().numpy()
        for _, image in frames
    ]
    masks = [to_grid(working_masks(first, [2, 7], geometry, CPU), stride).double().flatten(1).T.numpy()]
    for number in range(1, 6):
        recent = [index for index in range(number - 3, number) if index > 0]
        weights = dense(keys[number], np.stack(keys[:number]), [0], recent, 4, 3, 0.05)
        masks.append(weights @ np.concatenate(masks))
        cells = torch.tensor(masks[-1].T).float().unflatten(1, (height, width))
        expected = to_working(cells, geometry)
        np.testing.assert_allclose(got[number].probabilities[1:], expected, atol=1e-4)
        together = np.concatenate([1 - expected.sum(0, keepdim=True), expected]).argmax(0)
        assert (got[number].ids == np.array([0, 2, 7])[together]).mean() > 0.999


FULL = [
    ({}, True),
    ({"refinement_rounds": 0, "kept_mask": "coarse", "references": 1}, False),
    ({"refinement_rounds": 3, "kept_mask": "refined", "temperature": 0.3}, True),
    ({"refinement_rounds": 2, "references": 0}, False),
    ({"pad_with_first": True, "radius": 2}, True),
    ({"first_radius": 2, "rescale_limit": 1.5, "temperature": 0.5}, True),
    ({"layer1_weight": 0.3, "rescale_limit": 1.5, "temperature": 0.3}, True),
    ({"layer1_weight": 2.0, "kept_mask": "coarse", "top_k": 7, "pad_with_first": True}, False),
]
CASES = [(*case, False) for case in FULL] + [(*case, True) for case in FULL[:3]]


@pytest.mark.parametrize(("changes", "late", "residual"), CASES, ids=str)
def test_the_full_method_equals_a_literal_loop_over_all_frames(changes, late, residual):
    """Eq. 5 to 9 in float64 with real networks: two objects at odd size, ``late``: a third in frame 2."""
    torch.manual_seed(0)
    frames, given = video(5, 19, 27), {"00000": squares(19, 27, o2=(3, 2, 9), o7=(9, 12, 10))}
    if late:
        given["00002"] = squares(19, 27, o5=(2, 16, 7))
    pictures = torch.stack([torch.from_numpy(image).permute(2, 0, 1) for _, image in frames])
    model = settle(new_model(networks(), residual), pad_to_stride(normalise(pictures)), torch.rand(5, 1, 24, 32))
    chosen = settings(**changes)
    expected = segment(leaves(model), frames, given, chosen)
    close = [p.probabilities for p in segment_sequence(frames, given, model, chosen, CPU)]
    with code_in_float64():
        got = [p.probabilities for p in segment_sequence(frames, given, model.double(), chosen, CPU)]
    for number, truth in enumerate(expected):
        torch.testing.assert_close(got[number], truth, rtol=0, atol=1e-9)
        torch.testing.assert_close(close[number].double(), truth, rtol=0, atol=1e-3)


def test_lab_patches_are_matched_beside_the_features():
    """The same as features that have the patches in them."""
    frames, given = video(5, 37, 45), {"00000": squares(37, 45, o2=(3, 4, 14), o7=(15, 22, 17))}
    beside = propagate_labels(frames, given, colours, settings(lab_weight=0.3), CPU)
    within = propagate_labels(frames, given, lambda p: with_lab(colours(p)[0], p, 0.3)[None], settings(), CPU)
    alone = propagate_labels(frames, given, colours, settings(), CPU)
    for found, expected in zip(beside, within, strict=True):
        assert torch.equal(found.probabilities, expected.probabilities)
    assert not torch.equal(found.probabilities, list(alone)[-1].probabilities)


@pytest.mark.parametrize("weight", ["lab_weight", "layer2_weight", "layer1_weight"])
def test_the_full_method_matches_what_stands_beside_the_keys(weight):
    frames, given = video(5, 37, 45), {"00000": squares(37, 45, o2=(3, 4, 14), o7=(15, 22, 17))}
    alone, beside = (
        list(segment_sequence(frames, given, StubModel(), settings(**{weight: value}), CPU)) for value in (0.0, 0.3)
    )
    assert not torch.equal(alone[-1].probabilities, beside[-1].probabilities)


def test_a_moving_square_is_followed():
    frames, masks = moving_square(7)
    for method in (
        propagate_labels(frames, {"00000": masks[0]}, colours, settings(), CPU),
        segment_sequence(frames, {"00000": masks[0]}, StubModel(), settings(), CPU),
    ):
        for prediction, truth in zip(method, masks, strict=True):
            overlap = (prediction.ids & truth).sum() / (prediction.ids | truth).sum()
            assert overlap > 0.7, prediction.frame  # corners are cut by the enlarging


def test_the_given_frame_comes_back_as_it_is():
    first = squares(35, 43, o2=(3, 4, 14), o7=(15, 22, 17))
    for short_side in (None, 32):
        assert np.array_equal(labels(video(1, 35, 43), {"00000": first}, short_side=short_side)[0].ids, first)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("method", ["labels", "full"])
def test_permuting_object_ids_permutes_the_output(method, late):
    """With ``late``, object 2 is given in frame 1 only: its place among the groups changes with its id."""
    frames, first = video(4, 35, 43), squares(35, 43, o1=(3, 4, 14), o2=(15, 22, 17), o3=(20, 2, 9))
    given = {"00000": np.where(first == 2, 0, first), "00001": np.where(first == 2, 2, 0)} if late else {"00000": first}
    order = np.array([0, 3, 1, 2], np.uint8)

    def run(given):
        if method == "labels":
            return labels(frames, given)
        return list(segment_sequence(frames, given, StubModel(), settings(refinement_rounds=2), CPU))

    for one, other in zip(run(given), run({name: order[mask] for name, mask in given.items()}), strict=True):
        torch.testing.assert_close(one.probabilities, other.probabilities[order.astype(int)], atol=1e-5, rtol=0)
        assert (order[one.ids] == other.ids).mean() > 0.999


@pytest.mark.parametrize("size", [(16, 16), (17, 16), (31, 9), (1, 1), (7, 50)])
@pytest.mark.parametrize("short_side", [None, 32])
def test_any_size(size, short_side):
    for prediction in labels(video(3, *size), {"00000": np.ones(size, np.uint8)}, short_side=short_side):
        assert prediction.ids.shape == size
        assert (prediction.ids == 1).all()  # everything is the object, padding notwithstanding


def test_late_objects():
    """Nothing before the first mask; an object exists from its own frame on; the frames before say nothing of it."""
    frames, masks = moving_square(7)
    late = squares(64, 96, o4=(48, 8, 16))
    for _, image in frames:  # object 4 has been in view all the time
        image[48:64, 8:24] = (20, 20, 240)
    given = {"00001": masks[1], "00004": late}
    got = labels(frames, given, references=20)
    assert not got[0].ids.any()
    assert all(set(np.unique(got[number].ids)) == {0, 1} for number in (1, 2, 3))
    for number in (4, 5, 6):
        found = got[number].ids == 4
        truth = late == 4
        assert (found & truth).sum() / (found | truth).sum() > 0.8, number
        assert (got[number].ids == 1).any()
    # The early object is tracked as if the late one had never come, where they do not touch.
    alone = labels(frames, {"00001": masks[1]}, references=20)
    assert ((got[6].ids == 1) == (alone[6].ids == 1)).mean() > 0.99


def test_a_given_mask_replaces_what_was_predicted():
    frames, masks = moving_square(4)
    late = squares(64, 96, o2=(20, 26, 8))  # inside the square
    got = labels(frames, {"00000": masks[0], "00002": late})[2]
    assert (got.ids[late == 2] == 2).all()
    assert (got.probabilities[1][late == 2] == 0).all()


@pytest.mark.parametrize(("kept", "expected"), [("coarse", 0.0), ("mean", 0.5), ("refined", 1.0)])
def test_which_mask_is_kept(kept, expected, monkeypatch):
    """A decoder that always says "object": the kept mask tells what was mixed in."""
    frames, masks = moving_square(3)

    class Sure(StubModel):
        def _decode(self, readout, own, skip8, skip4, mask):
            return torch.full((len(readout), 1, 64, 96), 30.0)

    asked, values = [], MaskEmbedding.values
    monkeypatch.setattr(
        MaskEmbedding, "values", lambda method, frame, of: asked.append(of.clone()) or values(method, frame, of)
    )
    list(segment_sequence(frames, {"00000": masks[0]}, Sure(), settings(kept_mask=kept), CPU))
    _, coarse, kept_mask = (of[0] for of in asked[:3])  # frame 0 kept, frame 1 with the coarse mask, frame 1 kept
    torch.testing.assert_close(kept_mask, torch.lerp(coarse, torch.ones_like(coarse), expected))


def test_values_are_computed_once_a_frame():
    frames, masks = moving_square(5)
    model = StubModel()
    list(segment_sequence(frames, {"00000": masks[0]}, model, settings(refinement_rounds=2), CPU))
    assert len(model.named("E")) == 5
    assert len(model.named("V")) == 1 + 4 * (2 + 1)  # the first frame; then two rounds and one to keep


def test_frames_are_read_one_by_one():
    frames, masks = moving_square(5)
    read = []

    def stream():
        for name, image in frames:
            read.append(name)
            yield name, image

    results = propagate_labels(stream(), {"00000": masks[0]}, colours, settings(), CPU)
    next(results)
    assert read == ["00000"]


def test_void_is_no_object():
    first = squares(32, 32, o1=(0, 0, 16))
    first[20:, 20:] = 255
    for prediction in labels(video(3, 32, 32), {"00000": first}):
        assert len(prediction.probabilities) == 2
        assert prediction.ids.max() <= 1


@pytest.mark.parametrize(
    ("frames", "given", "message"),
    [
        (video(2, 16, 16), {"00000": np.ones((16, 17), np.uint8)}, "mask of frame 00000 is 16x17"),
        ([*video(1, 16, 16), ("x", np.zeros((8, 8, 3), np.uint8))], {"00000": np.ones((16, 16), np.uint8)}, "frame x"),
        (video(2, 16, 16), {"00009": np.ones((16, 16), np.uint8)}, "00009"),
        (video(2, 16, 16), {name: np.ones((16, 16), np.uint8) for name in ("00000", "00001")}, "more than one frame"),
    ],
)
def test_input_that_does_not_fit(frames, given, message):
    with pytest.raises(UserError, match=message):
        labels(frames, given)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_the_device_does_not_change_the_masks():
    torch.manual_seed(0)
    frames, given = video(5, 43, 61), {"00000": squares(43, 61, o2=(3, 2, 19), o7=(19, 32, 20))}
    pictures = torch.stack([torch.from_numpy(image).permute(2, 0, 1) for _, image in frames])
    model = settle(MaskVOS(networks()), pad_to_stride(normalise(pictures)), torch.rand(5, 1, 48, 64))
    here = list(segment_sequence(frames, given, model, settings(), CPU))
    there = list(segment_sequence(frames, given, model.cuda(), settings(), torch.device("cuda")))
    for one, other in zip(here, there, strict=True):
        torch.testing.assert_close(one.probabilities, other.probabilities.cpu(), rtol=0, atol=1e-3)
        assert (one.ids == other.ids).mean() > 0.999
