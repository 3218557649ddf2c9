"""The walk and its loss against the formula written out, in float64 loops."""

import math

import pytest
import torch
import torch.nn.functional as functional

from maskvos.learning.cycle import cycle_loss, transition

TEMPERATURE = 0.2


def draw(seed, batch=2, frames=3, dim=4, height=2, width=3):
    """Features of the first frame at the start, of the frames after it, of the first frame at the end."""
    generator = torch.Generator().manual_seed(seed)
    maps = torch.randn(batch, frames + 2, dim, height, width, generator=generator)
    maps = functional.normalize(maps, dim=2)
    return maps[:, 0], maps[:, 1:-1], maps[:, -1]


def probability(rows, columns, clip, i, j, kept):
    """P(j | i): exp(cosine / temperature), normalised over the edges that are kept."""
    count = columns.shape[2] * columns.shape[3]
    nodes = columns[clip].flatten(1)
    terms = [torch.exp(sum(rows[clip].flatten(1)[:, i] * nodes[:, m]) / TEMPERATURE) for m in range(count)]
    return terms[j] * kept(i, j) / sum(terms[m] * kept(i, m) for m in range(count))


def path_sum(steps, clip, first, last):
    """P(last | first) as the sum over all paths, by recursion through the steps."""
    if not steps:
        return 1.0 if first == last else 0.0
    rows, columns, kept = steps[0]
    count = columns.shape[2] * columns.shape[3]
    return sum(
        probability(rows, columns, clip, first, m, kept[clip]) * path_sum(steps[1:], clip, m, last)
        for m in range(count)
        if len(steps) > 1 or m == last
    )


def reference_loss(start, frames, end, kept):
    """Mean over cycle lengths, clips and nodes; ``kept[k]`` holds the edges of step k there and back."""
    batch, length = frames.shape[:2]
    nodes = frames.shape[3] * frames.shape[4]
    stops = [frames[:, k] for k in range(length)]
    losses = []
    for turn in range(1, length + 1):
        way = [start, *stops[:turn]]
        home = [*stops[:turn][::-1], end]
        there = [(way[k], way[k + 1], kept[k][0]) for k in range(turn)]
        back = [(home[k], home[k + 1], kept[turn - 1 - k][1]) for k in range(turn)]
        for clip in range(batch):
            losses += [-torch.log(path_sum(there + back, clip, i, i)) for i in range(nodes)]
    return sum(losses) / len(losses)


def every_edge(_i, _j):
    return 1.0


def check(loss_of, inputs, kept):
    """Values and gradients of all three inputs."""
    ours = [maps.clone().requires_grad_() for maps in inputs]
    loss = loss_of(*ours)
    loss.backward()
    plain = [maps.double().requires_grad_() for maps in inputs]
    expected = reference_loss(*plain, kept)
    expected.backward()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    for got, wanted in zip(ours, plain, strict=True):
        assert wanted.grad.abs().max() > 0.01
        torch.testing.assert_close(got.grad.double(), wanted.grad, rtol=1e-4, atol=1e-5)


def test_loss_and_gradients_are_the_formulas():
    inputs = draw(0, frames=2, height=1)
    kept = [[[every_edge] * 2] * 2] * 2
    check(lambda *maps: cycle_loss(*maps, TEMPERATURE), inputs, kept)


def test_edge_dropout_renormalises_what_is_left():
    """The cut edges are those of the generator, drawn for each step there and then back."""
    inputs = draw(1, frames=2, height=2, width=2)
    generator = torch.Generator().manual_seed(5)
    cut = [[torch.rand((2, 4, 4), generator=generator) < 0.3 for _ in range(2)] for _ in range(2)]
    assert all(mask.any() and not mask.all(dim=2).any() for pair in cut for mask in pair)

    def keep(mask):
        return lambda i, j: 0.0 if mask[i, j] else 1.0

    kept = [[[keep(mask[clip]) for clip in range(2)] for mask in pair] for pair in cut]
    again = [torch.Generator().manual_seed(5)]
    check(lambda *maps: cycle_loss(*maps, TEMPERATURE, 0.3, again[0]), inputs, kept)


def test_transitions_are_row_stochastic_whatever_is_cut():
    start, frames, _ = draw(2)
    rows, columns = (maps.flatten(2).transpose(1, 2) for maps in (start, frames[:, 0]))
    dropped = torch.rand(2, 6, 6, generator=torch.Generator().manual_seed(0)) < 0.5
    dropped[0, 0] = True  # every edge of a row: nothing is left to normalise, and still no nan
    matrix = transition(rows, columns, TEMPERATURE, dropped)
    torch.testing.assert_close(matrix.sum(2), torch.ones(2, 6))
    torch.testing.assert_close(matrix[0, 0], torch.full((6,), 1 / 6))
    some = ~dropped.all(dim=2, keepdim=True)
    assert float(matrix[dropped & some].abs().max()) == 0
    whole = transition(rows, columns, TEMPERATURE)
    kept = whole.masked_fill(dropped, 0)
    torch.testing.assert_close(matrix[1], (kept / kept.sum(2, keepdim=True))[1])


def test_different_nodes_that_stay_the_same_close_every_cycle():
    """Orthonormal features, permuted from frame to frame: each node finds itself again, and the loss is nearly 0."""
    generator = torch.Generator().manual_seed(3)
    maps = [torch.eye(12)[torch.randperm(12, generator=generator)].T.reshape(1, 12, 3, 4) for _ in range(4)]
    frames = torch.stack(maps[1:], dim=1)
    assert float(cycle_loss(maps[0], frames, maps[0], 0.05)) < 1e-6
    lost = cycle_loss(maps[0], frames, maps[0].roll(1, dims=3), 0.05)
    assert float(lost) > 15  # nearly 1 / temperature: it comes home to another node


def test_nodes_that_are_alike_are_lost():
    same = functional.normalize(torch.ones(1, 5, 3, 4), dim=1)
    loss = cycle_loss(same, same[:, None].expand(-1, 3, -1, -1, -1), same, TEMPERATURE)
    assert float(loss) == pytest.approx(math.log(12), rel=1e-5)


def test_a_code_of_the_place_closes_cycles_only_where_the_end_is_not_moved():
    """Why the walk comes home to Phi of the features: without it, places alone would do."""
    place = torch.eye(12).view(1, 12, 3, 4)
    frames = place[:, None].expand(-1, 2, -1, -1, -1)
    assert float(cycle_loss(place, frames, place, 0.05)) < 1e-6
    assert float(cycle_loss(place, frames, place.flip(3), 0.05)) > 15


def test_a_generators_state_decides_and_no_dropout_needs_none():
    inputs = draw(4)
    one, same = (float(cycle_loss(*inputs, TEMPERATURE, 0.4, torch.Generator().manual_seed(7))) for _ in range(2))
    other = float(cycle_loss(*inputs, TEMPERATURE, 0.4, torch.Generator().manual_seed(8)))
    assert one == same != other
    state = torch.random.get_rng_state()
    cycle_loss(*inputs, TEMPERATURE, 0.0)
    assert torch.equal(state, torch.random.get_rng_state())


def test_a_walk_that_no_path_closes_stays_finite():
    start = torch.eye(4).view(1, 4, 2, 2)
    maps = [maps.requires_grad_() for maps in (start.clone(), start.clone()[:, None], start.roll(1, dims=3).clone())]
    loss = cycle_loss(*maps, 0.005)
    loss.backward()
    assert loss.isfinite() and all(one.grad.isfinite().all() for one in maps)
