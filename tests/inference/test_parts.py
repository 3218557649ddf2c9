"""Parts of cells: their order, and their matches against float64 loops."""

import numpy as np
import pytest
import torch

from maskvos.inference import parts
from maskvos.inference.matching import Affinity, match
from maskvos.inference.parts import from_parts, refine, to_parts
from tests.inference.dense import dense_parts, unit
from tests.inference.test_matching import spread

HEIGHT, WIDTH, SLOTS = 4, 5, 3
COLUMNS = 4 * SLOTS * HEIGHT * WIDTH  # parts of all references


def test_parts_lie_cell_by_cell_and_row_by_row():
    maps = torch.arange(2 * 4 * 6).view(2, 4, 6).float()
    rows = to_parts(maps)
    assert rows.shape == (6, 4, 2)
    assert rows[4, :, 0].tolist() == [14, 15, 20, 21]  # the second row's middle cell
    torch.testing.assert_close(from_parts(rows.flatten(0, 1), (2, 3)), maps)
    whole = torch.rand(3, 2, 5)
    torch.testing.assert_close(to_parts(whole, 1)[:, 0], whole.flatten(1).T)
    torch.testing.assert_close(from_parts(whole.flatten(1).T, (2, 5), 1), whole)


def arrays(channels=6):
    rng = np.random.default_rng(0)
    query, keys = unit(rng, HEIGHT, WIDTH, 8), unit(rng, SLOTS, HEIGHT, WIDTH, 8)
    return query, keys, unit(rng, HEIGHT, WIDTH, 4, channels), unit(rng, SLOTS, HEIGHT, WIDTH, 4, channels)


def refined(query, keys, fine, fine_keys, recent, top_k, weight=0.7, radius=3, temperature=0.3):
    query, keys, fine, fine_keys = (torch.from_numpy(array).float() for array in (query, keys, fine, fine_keys))
    affinity = match(query, keys, [0], recent, top_k, radius, temperature)
    return refine(affinity, fine.flatten(0, 1), fine_keys.flatten(0, 2), top_k, temperature, weight)


@pytest.mark.parametrize("weight", [0.2, 3.0])
@pytest.mark.parametrize("top_k", [1, 3, 200])
@pytest.mark.parametrize("recent", [[], [1, 2], [0, 2]])  # a slot that is named twice counts twice
def test_the_matches_of_parts_are_exact(top_k, recent, weight):
    given = arrays()
    expected = dense_parts(*given, weight, [0], recent, top_k, 3, 0.3)
    np.testing.assert_allclose(spread(refined(*given, recent, top_k, weight), COLUMNS), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("chunk", [1, 500, 10**9])
def test_chunks_change_nothing(monkeypatch, chunk):
    given = arrays()
    expected = refined(*given, [1, 2], 3)
    monkeypatch.setitem(parts.CHUNK, "cpu", chunk)
    found = refined(*given, [1, 2], 3)
    np.testing.assert_allclose(spread(found, COLUMNS), spread(expected, COLUMNS), rtol=0, atol=1e-6)


def test_equal_parts_share_their_cells_weight():
    """Where the parts tell nothing, a part takes all parts of a match alike, and the matches by their weights; the mean
    of both similarities is flatter than that of the cells by 1 + weight."""
    affinity = Affinity(torch.tensor([[3, 0]]), torch.tensor([[0.8, 0.2]]))
    found = refine(affinity, torch.ones(1, 4, 2), torch.ones(5, 4, 2), 8, 0.07, 1.0)
    better, worse = (value**0.5 / (0.8**0.5 + 0.2**0.5) for value in (0.8, 0.2))
    for part in range(4):
        mass = torch.zeros(20).index_add(0, found.indices[part], found.weights[part])
        torch.testing.assert_close(mass[12:16], torch.full((4,), better / 4))
        torch.testing.assert_close(mass[:4], torch.full((4,), worse / 4))


def test_a_match_without_weight_stays_without():
    affinity = Affinity(torch.tensor([[2, 0]]), torch.tensor([[1.0, 0.0]]))
    found = refine(affinity, torch.randn(1, 4, 3), torch.randn(4, 4, 3), 8, 0.1, 0.5)
    assert found.weights[found.indices < 4].eq(0).all()
    torch.testing.assert_close(found.weights.sum(1), torch.ones(4))
