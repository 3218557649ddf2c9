"""Refinement rounds and what V and D are given, seen through a stub model."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from maskvos.inference import methods
from maskvos.inference.features import encoder_keys
from maskvos.inference.geometry import STRIDE, plan_geometry
from maskvos.inference.methods import LabelPropagation, MaskEmbedding
from maskvos.inference.propagate import segment_sequence
from maskvos.networks.aggregation import soft_aggregate
from maskvos.networks.files import untrained_encoder
from maskvos.networks.model import MaskVOS
from tests.inference.stubs import CPU, StubModel, colours, settings, video
from tests.inference.test_features import NETWORKS

GEOMETRY = plan_geometry(20, 30, None)


@pytest.fixture(autouse=True)
def together(monkeypatch):
    """All objects in one call, so that the stub's calls are rounds."""
    monkeypatch.setitem(methods.OBJECTS_AT_ONCE, "cpu", 8)


def prepared(rounds):
    model = StubModel()
    method = MaskEmbedding(model, rounds, "mean", "fp32")
    frame = method.encode(torch.randint(0, 256, (1, 3, 20, 30), dtype=torch.uint8), GEOMETRY)
    coarse = torch.rand(2, 3, 4) / 2
    return model, method, frame, coarse, torch.rand(2, 2, 3, 4)


def decoded(model, readout, own):
    """D and soft aggregation, cut to the working size."""
    logits = model.gain * ((readout + own).mean(1, keepdim=True) - 0.5)
    logits = functional.interpolate(logits, scale_factor=STRIDE, mode="bilinear")
    return soft_aggregate(logits.transpose(0, 1)).exp()[0, :, :20, :30]


def test_round_0_decodes_without_the_query_mask():
    model, method, frame, coarse, gathered = prepared(0)
    probabilities = method.predict(frame, coarse, gathered)
    assert not model.named("V")
    assert (model.named("D")[0].own == 0).all()
    torch.testing.assert_close(probabilities, decoded(model, gathered, torch.zeros_like(gathered)))


@pytest.mark.parametrize("rounds", [1, 2, 3, 5])
def test_each_round_takes_the_last_prediction(rounds):
    model, method, frame, coarse, gathered = prepared(rounds)
    probabilities = method.predict(frame, coarse, gathered)
    enlarged = functional.interpolate(coarse[None], scale_factor=STRIDE, mode="bilinear")[0, :, :20, :30]
    for number in range(rounds):
        embedded = model.named("V")[number]
        torch.testing.assert_close(embedded.masks[:, 0, :20, :30], enlarged)
        assert (embedded.masks[:, 0, 20:] == 0).all()
        assert (embedded.masks[:, 0, :, 30:] == 0).all()
        expected = decoded(model, gathered, embedded.output.repeat(1, 2, 1, 1))
        enlarged = expected[1:]
    assert len(model.named("V")) == len(model.named("D")) == rounds
    assert len(model.named("E")) == 1
    torch.testing.assert_close(probabilities, expected)


def test_the_encoder_runs_once_and_the_decoder_once_an_object():
    model, method, frame, coarse, gathered = prepared(1)
    method.predict(frame, coarse, gathered)
    call = model.named("D")[0]
    assert call.readout.shape[0] == call.skip8.shape[0] == call.skip4.shape[0] == 2


def test_values_of_the_same_frame_and_masks_are_made_once():
    model, method, frame, _, _ = prepared(1)
    masks, other = torch.rand(2, 20, 30), method.encode(torch.zeros((1, 3, 20, 30), dtype=torch.uint8), GEOMETRY)
    values = method.values(frame, masks)
    assert method.values(frame, masks.clone()) is values and len(model.named("V")) == 1
    masks[0, 5, 5] += 0.5  # in place: what was remembered must not have changed with it
    assert not torch.equal(method.values(frame, masks), values)
    method.values(other, masks)
    assert len(model.named("V")) == 3


@pytest.mark.parametrize(("kept_mask", "calls"), [("coarse", 1), ("mean", 2), ("refined", 2)])
def test_references_that_keep_coarse_masks_cost_no_second_embedding(kept_mask, calls):
    """One round: V of the coarse mask, and V of what is kept unless that is the same."""
    model, frames = StubModel(), video(4, 20, 30)
    first = np.zeros((20, 30), np.uint8)
    first[4:16, 8:24] = 1
    chosen = settings(kept_mask=kept_mask, refinement_rounds=1)
    list(segment_sequence(frames, {"00000": first}, model, chosen, CPU))
    assert len(model.named("V")) == 1 + 3 * calls


@pytest.mark.parametrize("count", [1, 2, 3])
def test_objects_at_once_change_nothing(monkeypatch, count):
    torch.manual_seed(0)
    method = MaskEmbedding(MaskVOS(NETWORKS), 2, "mean", "fp32")
    frame = method.encode(torch.randint(0, 256, (1, 3, 20, 30), dtype=torch.uint8), GEOMETRY)
    masks, coarse = torch.rand(5, 20, 30), torch.rand(5, 3, 4) / 5
    values = method.values(frame, masks)
    probabilities = method.predict(frame, coarse, values)
    monkeypatch.setitem(methods.OBJECTS_AT_ONCE, "cpu", count)
    torch.testing.assert_close(method.values(frame, masks), values, rtol=0, atol=1e-5)
    torch.testing.assert_close(method.predict(frame, coarse, values), probabilities, rtol=0, atol=1e-6)


def test_layer2_and_layer1_stand_beside_the_keys_as_in_label_propagation():
    model, picture = MaskVOS(NETWORKS), torch.randint(0, 256, (1, 3, 20, 30), dtype=torch.uint8)
    with torch.inference_mode():
        chosen = settings(layer2_weight=0.3, layer1_weight=0.2)
        frame = MaskEmbedding.from_settings(model, chosen, "fp32").encode(picture, GEOMETRY)
        other = LabelPropagation(encoder_keys(model.encoder, "fp32", 0.3, 0.2)).encode(picture, GEOMETRY)
        assert torch.equal(frame.key, other.key) and torch.equal(frame.fine, other.fine)
        assert MaskEmbedding(model, 1, "mean", "fp32").encode(picture, GEOMETRY).fine is None


def test_probabilities_sum_to_one():
    _, method, frame, coarse, gathered = prepared(2)
    torch.testing.assert_close(method.predict(frame, coarse, gathered).sum(0), torch.ones(20, 30))
    plain = LabelPropagation(colours).predict(frame, coarse, None)
    torch.testing.assert_close(plain.sum(0), torch.ones(20, 30))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_real_networks_fit(precision):
    torch.manual_seed(0)
    model = MaskVOS(NETWORKS)
    model.encoder.load_state_dict(untrained_encoder(NETWORKS, 1).state_dict())
    method = MaskEmbedding(model, 2, "mean", precision)
    with torch.inference_mode():
        frame = method.encode(torch.randint(0, 256, (1, 3, 20, 30), dtype=torch.uint8), GEOMETRY)
        values = method.values(frame, torch.rand(2, 20, 30))
        probabilities = method.predict(frame, torch.rand(2, 3, 4) / 2, values)
    assert values.shape == (2, 16, 3, 4)
    assert values.dtype == probabilities.dtype == frame.key.dtype == torch.float32
    assert probabilities.shape == (3, 20, 30)
