"""Readout for groups, and the joining of their masks."""

import torch

from maskvos.inference.groups import coarse_masks, gathered_values, join, rescaled
from maskvos.inference.matching import Affinity
from maskvos.inference.memory import ReferenceMemory
from tests.inference.stubs import CPU, settings


def memory_of_two_groups():
    """Objects 0 and 2 given in frame 0, object 1 in frame 1; a grid of one row with two cells."""
    memory = ReferenceMemory((1, 2), 4, 3, 2, settings(references=2), CPU)
    key = torch.rand(4, 1, 2)
    memory.add(key, torch.tensor([[[0.8, 0.0]], [[0.0, 0.0]], [[0.1, 0.5]]]), torch.rand(2, 6, 1, 2), [0, 2])
    memory.add(key, torch.tensor([[[0.7, 0.1]], [[0.2, 0.6]], [[0.1, 0.2]]]), torch.rand(3, 6, 1, 2), [1])
    return memory


def test_one_group_is_equation_8_itself():
    part = torch.rand(3, 4, 5) / 3
    memory = ReferenceMemory((4, 5), 2, 3, 1, settings(references=0), CPU)
    memory.add(torch.rand(2, 4, 5), part, None, [0, 1, 2])
    itself = torch.arange(20)[:, None]
    torch.testing.assert_close(coarse_masks(memory, [Affinity(itself, torch.ones(20, 1))]), part)


def test_each_object_is_read_with_its_groups_affinity():
    memory = memory_of_two_groups()
    early = Affinity(torch.tensor([[0], [1]]) + 2 * memory.groups[0].slot, torch.ones(2, 1))
    late = Affinity(torch.tensor([[1], [0]]) + 2 * memory.groups[1].slot, torch.ones(2, 1))
    coarse = coarse_masks(memory, [early, late])
    first, second = torch.tensor([[[0.8, 0.0]], [[0.1, 0.5]]]), torch.tensor([[[0.6, 0.2]]])
    torch.testing.assert_close(coarse[[0, 2, 1]], join([first, second]))
    values = gathered_values(memory, [early, late])
    assert memory.values is not None
    torch.testing.assert_close(values[2, :, 0].T, memory.values[2, memory.groups[0].slot])
    torch.testing.assert_close(values[1, :, 0].T, memory.values[1, memory.groups[1].slot].flip(0))


def test_join_by_hand():
    """Two independent claims of a half: neither, or one of them, each with equal odds."""
    half = torch.full((1, 1, 1), 0.5)
    torch.testing.assert_close(join([half, half]), torch.full((2, 1, 1), 1 / 3))
    torch.testing.assert_close(join([half * 0, half]), torch.tensor([0.0, 0.5]).view(2, 1, 1))
    torch.testing.assert_close(join([half * 2, half * 2]), torch.full((2, 1, 1), 0.5), atol=1e-5, rtol=0)


def test_join_keeps_one_group():
    part = torch.rand(3, 4, 5) / 3.1
    torch.testing.assert_close(join([part]), part)


def test_rescaling_by_hand():
    """The background peaks at 0.8, the object at 0.6: both are raised to 1, and every cell then sums to 1."""
    masks = torch.tensor([[[0.2, 0.6, 0.2]]])
    raised = torch.tensor([[0.2 / 0.6, 0.6 / 0.6, 0.2 / 0.6], [0.8 / 0.8, 0.4 / 0.8, 0.8 / 0.8]])
    torch.testing.assert_close(rescaled(masks, 2.0)[0, 0], raised[0] / raised.sum(0))
    raised = torch.tensor([[0.2 * 1.1, 0.6 * 1.1, 0.2 * 1.1], [0.8 * 1.1, 0.4 * 1.1, 0.8 * 1.1]])
    torch.testing.assert_close(rescaled(masks, 1.1)[0, 0], raised[0] / raised.sum(0))  # neither has a peak of 1 / 1.1
    assert torch.equal(rescaled(masks, 1.0), masks)


def test_peaks_are_looked_for_in_whole_cells():
    """One part is full, its cell is not: the object is raised by what the cell lacks; by parts alone it would not."""
    masks = torch.tensor([[[1.0, 0.6, 0.0, 0.0], [0.6, 0.6, 0.0, 0.0]]])  # two cells of 2 x 2 parts, 0.7 and 0
    raised = torch.stack([1 - masks[0], masks[0] / 0.7])  # the background has its peak in the second cell
    torch.testing.assert_close(rescaled(masks, 2.0, 2)[0], raised[1] / raised.sum(0).clamp_min(1))
    assert torch.equal(rescaled(masks, 2.0), masks)


def test_rescaling_leaves_faint_what_is_shown_nowhere():
    masks = torch.tensor([[[0.0, 0.3]], [[0.6, 0.2]], [[0.0, 0.0]]])  # the background has 0.4 and 0.5
    faint, seen, absent = rescaled(masks, 2.0)
    torch.testing.assert_close(faint, torch.tensor([[0.0, 0.3 / (0.3 + 0.2 / 0.6 + 1.0)]]))
    assert seen.max() > 0.55
    assert torch.equal(absent, torch.zeros(1, 2))


def test_an_object_that_fades_comes_back_frame_by_frame():
    """Each frame takes a twentieth, as averaging masks of masks does; a limit of 1.2 gives back more than that."""
    mask = torch.tensor([[[0.55, 0.0]]])
    for _ in range(10):
        mask = rescaled(0.95 * mask, 1.2)
    assert mask.max() > 0.6


def test_each_group_is_rescaled_before_the_groups_are_joined():
    memory = memory_of_two_groups()
    memory.settings = memory.settings.model_copy(update={"rescale_limit": 1.3})
    itself = [Affinity(torch.tensor([[0], [1]]) + 2 * group.slot, torch.ones(2, 1)) for group in memory.groups]
    early, late = torch.tensor([[[0.8, 0.0]], [[0.1, 0.5]]]), torch.tensor([[[0.2, 0.6]]])
    expected = join([rescaled(early, 1.3), rescaled(late, 1.3)])
    torch.testing.assert_close(coarse_masks(memory, itself)[[0, 2, 1]], expected)
