"""What the segmentation stage trains and what it leaves as it is."""

import pytest
import torch

from maskvos.networks.model import MaskVOS
from maskvos.params import read_all_params
from maskvos.training.segmentation_task import SegmentationTask, uses_correspondence
from tests.tiny import networks

SIZE = 32


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 2, (2, 3, SIZE, SIZE), generator=generator)
    images = torch.randint(0, 256, (2, 3, 3, SIZE, SIZE), dtype=torch.uint8, generator=generator)
    pairs = torch.randint(0, 256, (2, 3, 3, SIZE, SIZE), dtype=torch.uint8, generator=generator)
    return {
        "images": images,
        "masks": labels[:, :, None].float(),
        "labels": labels,
        "valid": torch.ones(2, 1, dtype=torch.bool),
        "pair_frames": pairs,
        "pair_zoom": torch.tensor([[0.1, 0.2, 0.6], [0.0, 0.3, 0.7]]),
        "pair_zoom_flip": torch.tensor([False, True]),
    }


def make_task(**changes):
    params = read_all_params("params.yaml")
    settings = params.segmentation.model_copy(update={"objects": 1, "encoder_rate": 1.0, **changes})
    torch.manual_seed(0)
    return SegmentationTask(MaskVOS(networks()), settings, params.correspondence, "fp32", 2, 1, torch.device("cpu"))


def step(task, batch):
    before = {name: value.clone() for name, value in task.module.state_dict().items()}
    for group in task.optimiser.param_groups:
        group["lr"] = 1e-2 * group["factor"]
    losses = task.losses(batch, 0)
    losses["loss"].backward()
    task.optimiser.step()
    changed = {name for name, value in task.module.state_dict().items() if not torch.equal(before[name], value)}
    return losses, changed


def test_loss_is_the_sum_of_equation_16(batch):
    losses, changed = step(make_task(short_weight=0.25, long_weight=0.75), batch)
    expected = losses["segmentation"] + 0.25 * losses["short"] + 0.75 * losses["long"]
    torch.testing.assert_close(losses["loss"], expected)
    assert {name.split(".")[0] for name in changed} == {"encoder", "mask_encoder", "decoder"}


def test_an_encoder_at_rate_zero_stays_as_it_is_to_the_last_statistic(batch):
    task = make_task(encoder_rate=0.0)
    losses, changed = step(task, batch)
    assert not uses_correspondence(task.settings)
    assert set(losses) == {"loss", "segmentation"}
    assert {name.split(".")[0] for name in changed} == {"mask_encoder", "decoder"}
