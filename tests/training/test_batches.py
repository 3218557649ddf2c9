"""Batches in one block of memory: the tensors are what stacking gives, whatever their types and shapes."""

import time

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, default_collate

from maskvos.training.batches import ALIGNMENT, Arrivals, Blocks
from maskvos.training.order import Samples


def sample(number):
    generator = torch.Generator().manual_seed(number)
    return {
        "odd": torch.randint(0, 256, (3, 5, 7), dtype=torch.uint8, generator=generator),
        "flag": torch.tensor(bool(number % 2)),
        "numbers": torch.rand(3, generator=generator),
        "doubles": torch.rand(2, 2, dtype=torch.float64, generator=generator),
        "count": number,
        "none": torch.zeros(0, 4),
    }


def packed(count):
    parcel = Blocks(1, remembered=False).pack(map(sample, range(count)), count)
    return parcel, Arrivals().open(parcel)


def test_a_batch_is_what_stacking_gives():
    expected = default_collate([sample(number) for number in range(5)])
    parcel, found = packed(5)
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype and torch.equal(found[name], tensor), name
    assert all(first % ALIGNMENT == 0 for *_, first in parcel.layout)
    pointers = {tensor.untyped_storage().data_ptr() for tensor in found.values()}
    assert pointers == {parcel.block.untyped_storage().data_ptr()}


def test_no_two_tensors_share_a_byte():
    parcel, found = packed(3)
    parcel.block.fill_(255)
    for tensor in found.values():
        tensor.zero_()
    expected = len(parcel.block) - sum(tensor.nbytes for tensor in found.values())
    assert int(parcel.block.count_nonzero()) == expected


def grown(item, _generator, step):
    """Samples that grow and shrink from step to step, so that blocks have to be replaced."""
    return {"step": step, "item": item, "filled": np.full((1 + 50 * (step * 7 % 11), 30), step, np.int32)}


@pytest.mark.parametrize("workers", [1, 2])
def test_blocks_that_are_used_again_carry_every_batch_unharmed(workers):
    """The processes run as far ahead as they may, and a batch is looked at again after the next has been asked for."""
    steps, held, memory = 40, None, set()
    for step, batch in enumerate(Samples(grown, 12, 2, 0, "x").batches(0, steps, workers, pinned=False)):
        time.sleep(0.02)
        for expected, known in ((step, batch), (step - 1, held)):
            if known is not None:
                assert known["step"].tolist() == [expected, expected]
                assert known["filled"].shape == (2, 1 + 50 * (expected * 7 % 11), 30)
                assert bool((known["filled"] == expected).all())
        held = batch
        memory.add(batch["filled"].untyped_storage().data_ptr())
    assert len(memory) < steps  # some blocks did serve twice


def test_a_receiver_that_remembers_nothing_gets_the_block_each_time():
    """As with pinned memory, where torch puts a copy in its place."""
    samples = Samples(grown, 12, 2, 0, "x")
    samples._blocks = Blocks(4, remembered=False)  # two wait at a time, one is looked at
    numbers = [range(2 * step, 2 * step + 2) for step in range(12)]
    loader = DataLoader(samples, batch_sampler=numbers, collate_fn=lambda parcel: parcel, num_workers=1)
    for step, parcel in enumerate(loader):
        assert parcel.place is None and bool((Arrivals().open(parcel)["filled"] == step).all())


def test_a_sample_without_an_entry_of_the_first_is_an_error():
    with pytest.raises(KeyError, match="b"):
        Blocks(1, remembered=False).pack([{"a": 1, "b": 2}, {"a": 1}], 2)
