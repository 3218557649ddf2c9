"""The rings against keeping every frame."""

import pytest
import torch

from maskvos.inference.groups import coarse_masks, gathered_values
from maskvos.inference.memory import ReferenceMemory
from tests.inference.stubs import CPU, settings

GRID = (3, 4)


def fill(memory, frames, given, values=False):
    """Add frames whose key, masks and values carry the frame's number; ``given``: frame -> objects."""
    known = 0
    for number in range(frames):
        new = given.get(number, [])
        known += len(new)
        made = torch.full((known, 2, *GRID), float(number)) if values else None
        memory.add(torch.full((5, *GRID), float(number)), torch.full((3, *GRID), float(number)), made, new)


def fill_one(memory, number):
    """One more frame of `fill`, all objects given in frame 0."""
    key, masks = torch.full((5, *GRID), float(number)), torch.full((3, *GRID), float(number))
    memory.add(key, masks, None, [] if number else [0, 1, 2])


def numbers(memory, slots):
    """Which frames lie in these slots, as the keys and the masks tell."""
    keys = [int(memory.keys[slot].unique()) for slot in slots]
    assert keys == [int(memory.masks[slot].unique()) for slot in slots]
    return keys


@pytest.mark.parametrize("references", [0, 1, 3, 20])
@pytest.mark.parametrize("frames", [1, 2, 4, 11])
def test_references_are_the_first_frame_and_the_last_ones(references, frames):
    memory = ReferenceMemory(GRID, 5, 3, 1, settings(references=references), CPU)
    fill(memory, frames, {0: [0, 1, 2]})
    first, recent = memory.references(memory.groups[0])
    assert numbers(memory, first) == [0]
    assert numbers(memory, recent) == [number for number in range(frames)[-references:] if number > 0 and references]


def test_padding_with_the_first_frame_fills_every_place():
    memory = ReferenceMemory(GRID, 5, 3, 1, settings(references=4, pad_with_first=True), CPU)
    fill(memory, 3, {0: [0]})
    assert sorted(numbers(memory, memory.references(memory.groups[0])[1])) == [0, 0, 1, 2]
    fill(memory, 6, {})
    assert 0 not in numbers(memory, memory.references(memory.groups[0])[1])[:-6]
    assert len(memory.references(memory.groups[0])[1]) == 4


@pytest.mark.parametrize("references", [1, 4, 20])
def test_padding_gives_the_context_of_crw(references):
    """CRW puts n copies of frame 0 in front of the list; query t sees frame 0 freely and the n entries before it."""
    memory = ReferenceMemory(GRID, 5, 3, 1, settings(references=references, pad_with_first=True), CPU)
    listed = [0] * references + list(range(45))
    for query in range(1, 45):
        fill_one(memory, query - 1)
        free, within_radius = memory.references(memory.groups[0])
        assert numbers(memory, free) == [0]
        assert sorted(numbers(memory, within_radius)) == listed[query : query + references]


@pytest.mark.parametrize("pad", [False, True])
def test_the_order_in_which_references_were_added_changes_nothing(pad):
    """The same four frames, the first one first: masks and values of a query (Eq. 7 and 8) are the same."""
    generator = torch.Generator().manual_seed(0)
    keys = torch.nn.functional.normalize(torch.randn(5, 6, *GRID, generator=generator), dim=1)
    masks = torch.rand(4, 2, *GRID, generator=generator) / 2
    values = torch.randn(4, 2, 3, *GRID, generator=generator)
    found = []
    for order in ([0, 1, 2, 3], [0, 3, 1, 2]):
        memory = ReferenceMemory(GRID, 6, 2, 1, settings(references=4, pad_with_first=pad), CPU)
        for number in order:
            memory.add(keys[number], masks[number], values[number], [] if number else [0, 1])
        affinities = memory.match(keys[4])
        found.append((coarse_masks(memory, affinities), gathered_values(memory, affinities)))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=0)


def test_a_late_group_never_looks_before_its_first_frame():
    memory = ReferenceMemory(GRID, 5, 3, 2, settings(references=3), CPU)
    fill(memory, 7, {0: [0, 2], 4: [1]}, values=True)
    early, late = memory.groups
    assert numbers(memory, memory.references(early)[1]) == [4, 5, 6]
    assert numbers(memory, memory.references(late)[0]) == [4]
    assert numbers(memory, memory.references(late)[1]) == [5, 6]
    assert memory.known == [0, 1, 2]
    assert memory.values[1, late.slot].unique().tolist() == [4.0]


def test_memory_is_flat_in_the_number_of_frames():
    memory = ReferenceMemory(GRID, 5, 3, 1, settings(references=3), CPU)
    fill(memory, 2, {0: [0, 1, 2]}, values=True)
    addresses = [tensor.data_ptr() for tensor in (memory.keys, memory.masks, memory.values)]
    fill_more = 50
    for number in range(2, fill_more):
        key, masks = torch.full((5, *GRID), float(number)), torch.full((3, *GRID), float(number))
        memory.add(key, masks, torch.full((3, 2, *GRID), float(number)))
    assert addresses == [tensor.data_ptr() for tensor in (memory.keys, memory.masks, memory.values)]
    assert numbers(memory, memory.references(memory.groups[0])[1]) == [47, 48, 49]


def test_label_propagation_keeps_no_values():
    memory = ReferenceMemory(GRID, 5, 3, 1, settings(), CPU)
    fill(memory, 3, {0: [0]})
    assert memory.values is None
