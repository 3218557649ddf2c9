"""The rings against keeping every frame."""

import pytest
import torch

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
