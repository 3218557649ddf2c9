"""Eq. 16, and what the segmentation stage trains and what it leaves as it is."""

import pytest
import torch

from maskvos.networks.model import MaskVOS
from maskvos.params import read_all_params
from maskvos.training.segmentation_task import SegmentationTask, uses_correspondence
from tests.plain import equations
from tests.plain.batch import HEIGHT, WIDTH, correspondence_batch, normalised, plain_correspondence
from tests.plain.networks import gradient_error, leaves, settle
from tests.plain.precision import code_in_float64
from tests.tiny import networks


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 2, (2, 3, HEIGHT, WIDTH), generator=generator)
    images = torch.randint(0, 256, (2, 3, 3, HEIGHT, WIDTH), dtype=torch.uint8, generator=generator)
    return {
        "images": images,
        "labels": labels.to(torch.uint8),
        "valid": torch.ones(2, 1, dtype=torch.bool),
        **{f"pair_{name}": value for name, value in correspondence_batch().items()},
    }


def make_task(model=None, regime="contrastive", **changes):
    params = read_all_params("params.yaml")
    settings = params.segmentation.model_copy(update={"objects": 1, "encoder_rate": 1.0, **changes})
    # Temperature and weights of L_corr's own stage: the first is meant, the weights are not (Eq. 16 has its own).
    correspondence = params.correspondence.model_copy(
        update={"regime": regime, "temperature": 0.3, "negatives": "batch", "short_weight": 7.0, "long_weight": 9.0}
    )
    torch.manual_seed(0)
    model = model or MaskVOS(networks())
    return SegmentationTask(model, settings, correspondence, "fp32", 2, 3, torch.device("cpu"))


def step(task, batch):
    before = {name: value.clone() for name, value in task.module.state_dict().items()}
    for group in task.optimiser.param_groups:
        group["lr"] = 1e-2 * group["factor"]
    losses = task.losses(batch, 0)
    losses["loss"].backward()
    task.optimiser.step()
    changed = {name for name, value in task.module.state_dict().items() if not torch.equal(before[name], value)}
    return losses, changed


def test_loss_and_gradients_are_those_of_equation_16(batch):
    """L_Seg + lambda_1 L_Short + lambda_2 L_Long in float64, each part from its own formula."""
    torch.manual_seed(3)
    model = settle(MaskVOS(networks()), torch.randn(6, 3, HEIGHT, WIDTH), torch.rand(6, 1, HEIGHT, WIDTH))
    weights = leaves(model)
    chosen = {"short_weight": 0.25, "long_weight": 0.75, "temperature": 0.2, "refinement_rounds": 1}
    task = make_task(model, **chosen, references="pseudo", coarse_mask="soft")
    images = torch.stack([torch.stack([normalised(image) for image in clip]) for clip in batch["images"]])
    labels = batch["labels"].long()
    masks = labels[:, :, None].double()
    segmentation = equations.segmentation_loss(weights, images, masks, labels, batch["valid"], task.settings)
    pair = {name: batch[f"pair_{name}"] for name in ("frames", "zoom", "zoom_flip")}
    parts = plain_correspondence(weights, pair, 0.3, "batch")
    expected = segmentation + 0.25 * parts["short"] + 0.75 * parts["long"]
    expected.backward()
    assert task.module.training
    with code_in_float64():
        model.double().eval()  # with the statistics of a batch no frame could be passed alone
        loss = task.losses(batch, 0)["loss"]
        loss.backward()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-9)
    assert gradient_error(model, weights) < 1e-7


def test_the_sum_is_recorded_with_its_parts_and_everything_learns(batch):
    losses, changed = step(make_task(short_weight=0.25, long_weight=0.75), batch)
    expected = losses["segmentation"] + 0.25 * losses["short"] + 0.75 * losses["long"]
    torch.testing.assert_close(losses["loss"], expected)
    assert {name.split(".")[0] for name in changed} == {"encoder", "mask_encoder", "decoder"}


def test_the_encoders_rate_is_a_share_of_the_others():
    task = make_task(encoder_rate=0.25)
    factors = {id(p): group["factor"] for group in task.optimiser.param_groups for p in group["params"]}
    for part, factor in ((task.module.encoder, 0.25), (task.module.mask_encoder, 1.0), (task.module.decoder, 1.0)):
        assert {factors[id(parameter)] for parameter in part.parameters()} == {factor}
    assert len(factors) == len(list(task.module.parameters()))


@pytest.mark.parametrize("regime", ["photometric", "cycle"])
def test_another_regimes_loss_takes_the_place_of_l_corr(batch, regime):
    own = {
        "photometric": {"pair_colours": torch.rand(2, 3, 1, HEIGHT // 8, WIDTH // 8)},
        "cycle": {"pair_edges": torch.tensor([3, 4])},
    }
    task = make_task(regime=regime, short_weight=9.0, photometric_weight=0.25, cycle_weight=0.5)
    losses, changed = step(task, batch | own[regime])
    assert set(losses) == {"loss", "segmentation", regime}
    weight = {"photometric": 0.25, "cycle": 0.5}[regime]
    torch.testing.assert_close(losses["loss"], losses["segmentation"] + weight * losses[regime])
    assert {name.split(".")[0] for name in changed} == {"encoder", "mask_encoder", "decoder"}


@pytest.mark.parametrize(
    ("regime", "weights"),
    [
        ("contrastive", {"short_weight": 0.0, "long_weight": 0.0}),
        ("photometric", {"photometric_weight": 0.0}),
        ("cycle", {"cycle_weight": 0.0}),
    ],
)
def test_without_weights_of_the_regime_l_seg_stands_alone(batch, regime, weights):
    task = make_task(regime=regime, **weights)
    assert not uses_correspondence(task.settings, task.correspondence)
    assert uses_correspondence(make_task(regime=regime).settings, task.correspondence)
    assert uses_correspondence(make_task(regime=regime, short_weight=0.0).settings, task.correspondence)
    losses, changed = step(task, batch)
    assert set(losses) == {"loss", "segmentation"}
    assert "encoder" in {name.split(".")[0] for name in changed}


def test_an_encoder_at_rate_zero_stays_as_it_is_to_the_last_statistic(batch):
    task = make_task(encoder_rate=0.0)
    losses, changed = step(task, batch)
    assert not uses_correspondence(task.settings, task.correspondence)
    assert set(losses) == {"loss", "segmentation"}
    assert {name.split(".")[0] for name in changed} == {"mask_encoder", "decoder"}


def test_the_rate_goes_on_over_all_rounds():
    task = make_task(schedule="step", step_epochs=2, epochs=4, learning_rate=0.8, warmup_epochs=0)
    assert task.total_steps == 3 * 4 * 2
    assert [task.rate(step) for step in (0, 3, 4, 8, 16)] == [0.8, 0.8, 0.4, 0.2, 0.05]
