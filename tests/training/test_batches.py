"""Batches in one block of memory: the tensors are what stacking gives, whatever their types and shapes."""

import torch
from torch.utils.data import default_collate

from maskvos.training.batches import ALIGNMENT, stack, unpack


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


def test_a_batch_is_what_stacking_gives():
    expected = default_collate([sample(number) for number in range(5)])
    block, layout = stack(map(sample, range(5)), 5)
    found = unpack(block, layout)
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype and torch.equal(found[name], tensor), name
    assert all(first % ALIGNMENT == 0 for *_, first in layout)
    assert {tensor.untyped_storage().data_ptr() for tensor in found.values()} == {block.untyped_storage().data_ptr()}


def test_no_two_tensors_share_a_byte():
    block, layout = stack(map(sample, range(3)), 3)
    found = unpack(block, layout)
    block.fill_(255)
    for tensor in found.values():
        tensor.zero_()
    assert int(block.count_nonzero()) == len(block) - sum(tensor.nbytes for tensor in found.values())
