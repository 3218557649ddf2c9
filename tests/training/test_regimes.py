"""Each regime through E: which features meet which, which frames a loss sees, and that training lowers it."""

import numpy as np
import pytest
import torch
import torch.nn.functional as functional

from maskvos.learning.correspondence import long_term_loss, short_term_loss
from maskvos.learning.cycle import cycle_loss
from maskvos.learning.photometric import photometric_loss
from maskvos.learning.transforms import Phi
from maskvos.networks.encoder import Features, VisualEncoder
from maskvos.networks.images import normalise
from maskvos.storage.frames import FrameStore
from maskvos.training.batch_cropping import see_cuts
from maskvos.training.correspondence_task import CorrespondenceTask
from maskvos.training.order import Samples
from maskvos.training.regimes import correspondence_losses, correspondence_sampler, report_short_clips
from tests.tiny import correspondence, networks, write_frames

REGIMES = {"contrastive": {"short", "long"}, "photometric": {"photometric"}, "cycle": {"cycle"}}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("regimes")
    write_frames(folder / "frames", clips=4)
    return FrameStore(folder / "frames")


def batch_of(store, settings):
    sampler = correspondence_sampler(store, settings, settings.cropping)
    batch = next(Samples(sampler, len(store.clips), settings.batch, 0, "regimes").batches(0, 1, 0, pinned=False))
    return see_cuts(batch, settings.cropping.crop, "frames")


class Blocks(torch.nn.Module):
    """Stands for E: every pixel's features are its 8x8 block's mean colour and nothing else."""

    def forward(self, images):
        key = functional.normalize(functional.avg_pool2d(images, 8), dim=1)
        return Features(key, key, key, key)


@pytest.mark.parametrize("regime", REGIMES)
def test_losses_are_finite_named_and_reach_every_weight(store, regime):
    encoder = VisualEncoder(networks()).train()
    parts = correspondence_losses(encoder, batch_of(store, correspondence(regime)), correspondence(regime))
    assert set(parts) == REGIMES[regime]
    sum(parts.values()).backward()
    assert all(part.ndim == 0 and part.isfinite() for part in parts.values())
    assert all(p.grad is not None and p.grad.isfinite().all() for p in encoder.parameters())


def test_the_contrastive_losses_meet_phi_of_the_image_and_phi_of_the_features(store):
    settings = correspondence("contrastive", negatives="pair")
    batch = batch_of(store, settings)
    phi = Phi(*batch["zoom"].unbind(1), batch["zoom_flip"])
    first, second, distant = (normalise(batch["frames"][:, t]) for t in range(3))
    whole_second, whole_distant = (Blocks()(frame).key for frame in (second, distant))
    moved_first, moved_distant = (Blocks()(phi.of_maps(frame)).key for frame in (first, distant))
    short = short_term_loss(phi.of_features(whole_second), moved_first, 0.1, "pair")
    long, _ = long_term_loss(phi.of_features(whole_distant), moved_distant, whole_second, 0.1, "pair")
    parts = correspondence_losses(Blocks(), batch, settings)
    torch.testing.assert_close(parts, {"short": short, "long": long})


def test_the_last_frame_is_reconstructed_from_those_before_it(store):
    settings = correspondence("photometric")
    batch = batch_of(store, settings)
    keys = [Blocks()(normalise(batch["frames"][:, t])).key for t in range(3)]
    colours = batch["colours"]
    expected = photometric_loss(torch.stack(keys[:2], 1), keys[2], colours[:, :2], colours[:, 2], 1, 0.1)
    torch.testing.assert_close(correspondence_losses(Blocks(), batch, settings)["photometric"], expected)


def test_the_walk_starts_at_phi_of_the_image_and_ends_at_phi_of_the_features(store):
    settings = correspondence("cycle")
    batch = batch_of(store, settings)
    phi = Phi(*batch["zoom"].unbind(1), batch["zoom_flip"])
    frames = normalise(batch["frames"])
    keys = [Blocks()(frames[:, t]).key for t in range(3)]
    start = Blocks()(phi.of_maps(frames[:, 0])).key
    generator = torch.Generator().manual_seed(int(batch["edges"][0]))
    expected = cycle_loss(start, torch.stack(keys[1:], 1), phi.of_features(keys[0]), 0.1, 0.1, generator)
    torch.testing.assert_close(correspondence_losses(Blocks(), batch, settings)["cycle"], expected)


def test_the_same_sample_cuts_the_same_edges(store):
    settings = correspondence("cycle", cycle={"frames": 3, "max_gap": 1, "edge_dropout": 0.5})
    batch = batch_of(store, settings)
    one, same = (float(correspondence_losses(Blocks(), batch, settings)["cycle"]) for _ in range(2))
    other = float(correspondence_losses(Blocks(), {**batch, "edges": batch["edges"] + 1}, settings)["cycle"])
    assert one == same != other


@pytest.mark.parametrize("regime", REGIMES)
def test_some_steps_on_one_batch_lower_the_loss(store, regime):
    settings = correspondence(regime)
    task = CorrespondenceTask(VisualEncoder(networks()), settings, "fp32", 2, torch.device("cpu"))
    batch = batch_of(store, settings)
    losses = []
    for step in range(12):
        for group in task.optimiser.param_groups:
            group["lr"] = 1e-3
        task.optimiser.zero_grad()
        parts = task.losses(batch, step)
        parts["loss"].backward()
        task.optimiser.step()
        losses.append(float(parts["loss"].detach()))
    assert np.mean(losses[-3:]) < 0.8 * losses[0]


@pytest.mark.parametrize(
    ("regime", "expected"),
    [("contrastive", {"short": 0.25, "long": 0.75}), ("photometric", {"photometric": 1.0}), ("cycle", {"cycle": 1.0})],
)
def test_the_stages_loss_is_the_weighted_sum_of_its_parts(store, regime, expected):
    settings = correspondence(regime)
    task = CorrespondenceTask(VisualEncoder(networks()), settings, "fp32", 2, torch.device("cpu"))
    losses = task.losses(batch_of(store, settings), 0)
    assert set(losses) == {"loss", *expected}
    torch.testing.assert_close(losses["loss"], sum(weight * losses[name] for name, weight in expected.items()))


@pytest.mark.parametrize(
    ("regime", "changes", "short"),
    [
        ("contrastive", {"min_distance": 3}, 0),
        ("contrastive", {"min_distance": 4}, 4),
        ("photometric", {"photometric": {"references": 5, "max_gap": 1, "radius": 1}}, 0),
        ("photometric", {"photometric": {"references": 6, "max_gap": 1, "radius": 1}}, 4),
        ("cycle", {"cycle": {"frames": 7, "max_gap": 1, "edge_dropout": 0.0}}, 4),
    ],
)
def test_clips_that_are_too_short_are_counted(store, regime, changes, short):
    assert report_short_clips(store, correspondence(regime, **changes)) == short  # each has six frames
