"""The photometric loss against the formula written out, in float64 loops; the window and what lies outside it."""

import pytest
import torch
import torch.nn.functional as functional

from maskvos.learning.photometric import photometric_loss, window
from maskvos.networks.matching import affinity

TEMPERATURE = 0.2


def draw(seed, batch=2, count=2, dim=3, channels=2, height=3, width=4):
    """Reference keys, target key, reference colours, target colours."""
    generator = torch.Generator().manual_seed(seed)
    keys = functional.normalize(torch.randn(batch, count + 1, dim, height, width, generator=generator), dim=2)
    colours = 2 * torch.rand(batch, count + 1, channels, height, width, generator=generator) - 1
    return keys[:, :-1], keys[:, -1], colours[:, :-1], colours[:, -1]


def reference_loss(references, target, reference_colours, target_colours, radius):
    """Attention over the window of every reference, then Huber of 20 times the difference, pixel by pixel."""
    batch, count, _, height, width = references.shape
    losses = []
    for clip in range(batch):
        for row in range(height):
            for column in range(width):
                scores, seen = [], []
                for n in range(count):
                    for r in range(max(0, row - radius), min(height, row + radius + 1)):
                        for c in range(max(0, column - radius), min(width, column + radius + 1)):
                            dot = sum(references[clip, n, :, r, c] * target[clip, :, row, column])
                            scores.append(torch.exp(dot / TEMPERATURE))
                            seen.append(reference_colours[clip, n, :, r, c])
                total = sum(scores)
                for channel in range(target_colours.shape[1]):
                    value = sum(score / total * colour[channel] for score, colour in zip(scores, seen, strict=True))
                    error = 20 * abs(value - target_colours[clip, channel, row, column])
                    losses.append(error**2 / 2 if error < 1 else error - 0.5)
    return sum(losses) / len(losses)


@pytest.mark.parametrize("radius", [1, 9])
def test_loss_and_gradients_are_the_formulas(radius):
    references, target, reference_colours, target_colours = draw(0)
    target_colours[0] = reference_colours[0].mean(0)  # some errors on the quadratic side of the Huber loss
    loss_inputs = [maps.clone().requires_grad_() for maps in (references, target)]
    loss = photometric_loss(*loss_inputs, reference_colours, target_colours, radius, TEMPERATURE)
    loss.backward()
    plain_inputs = [maps.double().requires_grad_() for maps in (references, target)]
    expected = reference_loss(*plain_inputs, reference_colours.double(), target_colours.double(), radius)
    expected.backward()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    for got, wanted in zip(loss_inputs, plain_inputs, strict=True):
        assert wanted.grad.abs().max() > 0.01
        torch.testing.assert_close(got.grad.double(), wanted.grad, rtol=1e-4, atol=1e-6)


def test_both_sides_of_the_huber_loss():
    keys, colours = torch.ones(1, 1, 1, 1, 1), torch.zeros(1, 1, 1, 1, 1)

    def loss(error):
        return float(photometric_loss(keys, keys[:, 0], colours, colours[:, 0] + error, 1, TEMPERATURE))

    assert loss(0.02) == pytest.approx((20 * 0.02) ** 2 / 2)
    assert loss(-0.5) == pytest.approx(20 * 0.5 - 0.5)


@pytest.mark.parametrize(("height", "width", "radius"), [(3, 4, 1), (5, 2, 2), (4, 4, 7)])
def test_window(height, width, radius):
    allowed = window(height, width, radius, torch.device("cpu"))
    for one in range(height * width):
        for other in range(height * width):
            rows, columns = one // width - other // width, one % width - other % width
            assert bool(allowed[one, other]) == (abs(rows) <= radius and abs(columns) <= radius)


def test_what_lies_outside_the_window_counts_for_nothing():
    """The upper left pixel of the target sees the 2x2 corner of each reference; other keys change nothing for it."""
    references, target, *_ = draw(1, batch=1, height=5, width=5)
    outside = torch.ones(5, 5, dtype=torch.bool)
    outside[:2, :2] = False
    others = references.clone()
    others[..., outside] = functional.normalize(torch.randn_like(others[..., outside]), dim=2)
    near = window(5, 5, 1, torch.device("cpu"))
    weights, same = (affinity(keys, target, TEMPERATURE, near)[0, :, 0].view(2, 5, 5) for keys in (references, others))
    assert float(weights[:, outside].abs().max()) == 0
    assert (weights[:, ~outside] > 0).all()
    assert float(weights.sum()) == pytest.approx(1, abs=1e-6)
    assert torch.equal(weights, same)
    assert not torch.equal(affinity(references, target, TEMPERATURE), affinity(others, target, TEMPERATURE))


def test_one_frame_moved_within_the_window_is_reconstructed_and_beyond_it_is_not():
    """Keys that are all different find their pixel again, so that the colours come along."""
    height = width = 6
    keys = torch.eye(36).view(1, 36, height, width)
    colours = torch.linspace(-1, 1, 36).view(1, 1, height, width)
    for shift, found in ((1, True), (2, True), (3, False)):
        moved_keys, moved_colours = keys.roll(shift, dims=3), colours.roll(shift, dims=3)
        inner = slice(shift, width)  # what the roll carries around the border is left out
        weights = affinity(keys[:, None], moved_keys, 0.02, window(height, width, 2, keys.device))
        got = (colours.flatten(1) @ weights).view(1, 1, height, width)
        assert torch.allclose(got[..., inner], moved_colours[..., inner], atol=1e-4) == found


def test_a_still_frame_costs_nothing():
    keys = torch.eye(12).view(1, 12, 3, 4)
    colours = torch.rand(1, 1, 3, 4)
    assert float(photometric_loss(keys[:, None], keys, colours[:, None], colours, 1, 0.02)) < 1e-6
