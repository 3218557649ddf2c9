"""The mask embedding loss against Eq. 5 to 10 written out for one object slot after the other, in loops."""

import math

import pytest
import torch
import torch.nn.functional as functional

from maskvos.learning.mask_embedding import ABSENT, Objects, segmentation_loss
from maskvos.networks.model import MaskVOS
from maskvos.params import read_all_params

SIZE, CLIPS, SLOTS = 32, 2, 2


@pytest.fixture(scope="module")
def params():
    return read_all_params("params.yaml")


@pytest.fixture
def model(params):
    networks = params.networks.model_copy(
        update={"embedding_dim": 8, "mask_embedding_dim": 8, "decoder_width": 8, "last_layer": "layer3"}
    )
    torch.manual_seed(0)
    return MaskVOS(networks).eval()  # running statistics: every object and frame can be passed alone


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(1)
    labels = torch.randint(0, SLOTS + 1, (CLIPS, 3, SIZE, SIZE), generator=generator)
    valid = torch.tensor([[True, True], [True, False]])
    labels[1][labels[1] == 2] = 0
    masks = torch.stack([labels == 1, labels == 2], dim=2).float()
    images = torch.randn(CLIPS, 3, 3, SIZE, SIZE, generator=generator)
    return images, masks, labels, valid


def literal_loss(model, images, masks, labels, valid, settings):
    """Eq. 5 to 10 for each clip, query, object and pixel."""
    losses = []
    for clip in range(CLIPS):
        features = [model.encoder(images[clip, t][None]) for t in range(3)]
        for query in (1, 2):
            logits = []
            for slot in range(SLOTS):
                if not valid[clip, slot]:
                    logits.append(torch.full((SIZE, SIZE), ABSENT))
                    continue
                logits.append(literal_object(model, images[clip], masks[clip, :, slot], features, query, settings))
            losses.append(literal_cross_entropy(torch.stack(logits), labels[clip, query]))
    return sum(losses) / len(losses)


def literal_object(model, images, masks, features, query, settings):
    side = SIZE // 8
    values = [model.mask_encoder(images[t][None], masks[t][None, None])[0] for t in range(query)]
    small = [masks[t].reshape(side, 8, side, 8).mean(dim=(1, 3)) for t in range(query)]
    gathered, coarse = torch.zeros(8, side, side), torch.zeros(side, side)
    for i in range(side):
        for j in range(side):
            scores = [
                float(features[t].key[0, :, y, x].double() @ features[query].key[0, :, i, j].double())
                / settings.temperature
                for t in range(query)
                for y in range(side)
                for x in range(side)
            ]
            total = sum(math.exp(score) for score in scores)
            weights = iter(math.exp(score) / total for score in scores)
            for t in range(query):
                for y in range(side):
                    for x in range(side):
                        weight = next(weights)
                        gathered[:, i, j] += weight * values[t][:, y, x]
                        coarse[i, j] += weight * small[t][y, x]
    skips = features[query].skip8, features[query].skip4
    if settings.refinement_rounds == 0:
        return model.decoder(gathered[None], torch.zeros(1, 8, side, side), *skips)[0, 0]
    guide = functional.interpolate(coarse[None, None], scale_factor=8, mode="bilinear", align_corners=False)
    if settings.coarse_mask == "hard":
        guide = (guide > 0.5).float()
    own = model.mask_encoder(images[query][None], guide)
    return model.decoder(gathered[None], own, *skips)[0, 0]


def literal_cross_entropy(logits, labels):
    """Soft aggregation and the mean of -log p(label), pixel by pixel in float64."""
    total = 0.0
    for i in range(SIZE):
        for j in range(SIZE):
            p = [1 / (1 + math.exp(-float(logits[k, i, j]))) for k in range(SLOTS)]
            background = math.prod(1 - value for value in p)
            odds = [background / (1 - background), *(value / (1 - value) for value in p)]
            total -= math.log(odds[int(labels[i, j])] / sum(odds))
    return total / SIZE**2


@pytest.mark.parametrize(("rounds", "coarse"), [(0, "soft"), (1, "soft"), (1, "hard")])
def test_loss_is_equations_5_to_10(params, model, batch, rounds, coarse):
    settings = params.segmentation.model_copy(update={"refinement_rounds": rounds, "coarse_mask": coarse})
    with torch.no_grad():
        expected = literal_loss(model, *batch, settings)
        got = float(segmentation_loss(model, *batch, settings))
    assert got == pytest.approx(expected, rel=2e-4)


def test_permuting_object_slots_changes_nothing(params, model, batch):
    images, masks, labels, valid = batch
    swapped = torch.tensor([0, 2, 1])[labels]
    with torch.no_grad():
        one = segmentation_loss(model, images, masks, labels, valid, params.segmentation)
        other = segmentation_loss(model, images, masks.flip(2), swapped, valid.flip(1), params.segmentation)
    assert float(one) == pytest.approx(float(other), rel=1e-5)


def test_gradients_reach_every_part_but_not_through_the_coarse_mask(params, model, batch):
    segmentation_loss(model, *batch, params.segmentation).backward()
    for part in (model.encoder, model.mask_encoder, model.decoder):
        assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in part.parameters())
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_predicted_references_use_the_models_own_mask(params, model, batch):
    settings = params.segmentation.model_copy(update={"references": "predicted"})
    with torch.no_grad():
        own = segmentation_loss(model, *batch, settings)
        pseudo = segmentation_loss(model, *batch, params.segmentation)
    assert float(own) != float(pseudo)


def test_slots_are_gathered_and_spread():
    objects = Objects(torch.tensor([[True, False], [True, True]]))
    values = torch.arange(4.0).view(2, 2, 1)
    assert objects.gather(values).flatten().tolist() == [0, 2, 3]
    assert objects.clips.tolist() == [0, 1, 1]
    assert objects.spread(objects.gather(values), -1.0).flatten().tolist() == [0, -1, 2, 3]
