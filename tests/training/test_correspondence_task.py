"""Which frame meets which in L_short and L_long, from images to the weights' gradients (Eq. 11 to 15)."""

import pytest
import torch

from maskvos.networks.model import MaskVOS
from maskvos.params import read_all_params
from maskvos.training.correspondence_task import CorrespondenceTask
from maskvos.training.regimes import correspondence_losses
from tests.plain.batch import HEIGHT, WIDTH, correspondence_batch, plain_correspondence
from tests.plain.networks import gradient_error, leaves, settle
from tests.plain.precision import code_in_float64
from tests.tiny import networks


@pytest.fixture
def model():
    torch.manual_seed(0)
    return settle(MaskVOS(networks()), torch.randn(6, 3, HEIGHT, WIDTH), torch.rand(6, 1, HEIGHT, WIDTH))


def settings(**changes):
    return read_all_params("params.yaml").correspondence.model_copy(update={"temperature": 0.2, **changes})


@pytest.mark.parametrize("negatives", ["pair", "batch"])
@pytest.mark.parametrize("part", ["short", "long"])
def test_losses_of_images_are_equations_11_to_15(model, part, negatives):
    """Phi of the image and Phi of the features, on the right frames; every weight of E gets the formula's gradient."""
    batch, weights = correspondence_batch(), leaves(model)
    expected = plain_correspondence(weights, batch, 0.2, negatives)[part]
    expected.backward()
    given = batch, settings(negatives=negatives)
    found = correspondence_losses(model.encoder, *given)[part]
    assert found.item() == pytest.approx(expected.item(), rel=1e-4)
    with code_in_float64():
        found = correspondence_losses(model.double().encoder, *given)[part]
        found.backward()
    assert found.item() == pytest.approx(expected.item(), rel=1e-9)
    assert gradient_error(model.encoder, weights, "encoder.") < 1e-7


def test_the_stage_minimises_the_weighted_sum(model):
    """L_corr of Eq. 16, with this stage's own weights, temperature and negatives."""
    weights, batch = leaves(model), correspondence_batch()
    parts = plain_correspondence(weights, batch, 0.3, "pair")
    (0.25 * parts["short"] + 0.75 * parts["long"]).backward()
    chosen = settings(short_weight=0.25, long_weight=0.75, temperature=0.3, negatives="pair")
    with code_in_float64():
        task = CorrespondenceTask(model.double().encoder, chosen, "fp32", 2, torch.device("cpu"))
        assert task.module.training
        task.module.eval()  # with the statistics of a batch no frame could be passed alone
        losses = task.losses(batch, 0)
        losses["loss"].backward()
    assert losses["loss"].item() == pytest.approx(0.25 * parts["short"].item() + 0.75 * parts["long"].item(), rel=1e-9)
    assert gradient_error(model.encoder, weights, "encoder.") < 1e-7


def test_rate_follows_the_schedule(model):
    task = CorrespondenceTask(
        model.encoder,
        settings(schedule="step", step_epochs=2, epochs=6, learning_rate=0.8, warmup_epochs=0),
        "fp32",
        5,
        torch.device("cpu"),
    )
    assert task.total_steps == 30
    assert [task.rate(step) for step in (0, 9, 10, 20)] == [0.8, 0.8, 0.4, 0.2]
