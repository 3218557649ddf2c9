"""What the processes tell each other, with three of them and with one."""

import pytest
import torch

from maskvos.errors import UserError
from maskvos.parallel.collectives import any_process, average, from_first, gather, is_first, own_part, rank, total
from tests.processes import in_processes

VALUES = torch.arange(12.0, dtype=torch.float64).view(6, 2).square()
FACTORS = torch.linspace(1, 2, 36, dtype=torch.float64).view(3, 6, 2)  # of each process's loss, for each value


def own(values):
    part = own_part(len(values))
    return values[part.start : part.stop]


def everything():
    mine = own(VALUES).clone().requires_grad_()
    gathered = gather(mine)
    (gathered * FACTORS[rank()]).sum().backward()
    number = torch.tensor([1.0 + rank()])
    return {
        "gathered": gathered.detach(),
        "gradient": mine.grad,
        "average": average(number).item(),
        "total": (total(number).item(), number.item()),
        "any": [any_process(rank() == 1), any_process(False)],
        "first": from_first(lambda: {"made by": rank(), "values": mine.detach()}),
        "is first": is_first(),
    }


def test_three_processes():
    found = in_processes(3, everything)
    for number, values in enumerate(found):
        assert torch.equal(values["gathered"], VALUES)
        torch.testing.assert_close(values["gradient"], FACTORS.sum(dim=0)[2 * number : 2 * number + 2])
        assert values["average"] == 2.0
        assert values["total"] == (6.0, 1.0 + number)
        assert values["any"] == [True, False]
        assert values["first"]["made by"] == 0 and torch.equal(values["first"]["values"], VALUES[:2])
        assert values["is first"] == (number == 0)


def test_a_process_by_itself_gets_its_own_back():
    values = VALUES.clone().requires_grad_()
    assert gather(values) is values and total(values) is values
    assert torch.equal(average(values), VALUES) and not average(values).requires_grad
    assert any_process(True) and not any_process(False) and is_first()
    assert from_first(lambda: 7) == 7 and own_part(5) == range(5)


def refused():
    with pytest.raises(UserError) as error:
        own_part(5)
    return str(error.value)


def test_a_batch_that_cannot_be_divided():
    for message in in_processes(2, refused):
        assert "a batch of 5 cannot be divided evenly among 2 processes" in message
