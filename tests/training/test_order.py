"""Sample order: a pure function of (seed, stream, epoch, step)."""

import numpy as np
import pytest

from maskvos.errors import UserError
from maskvos.training.order import Samples, random_stream, steps_per_epoch
from tests.processes import in_processes


def draw(item, generator, _step):
    return {"item": item, "number": generator.integers(1 << 40)}


def samples(count=10, batch=3, seed=0, stream="stage"):
    return Samples(draw, count, batch, seed, stream)


def listed(batches):
    return [(batch["item"].tolist(), batch["number"].tolist()) for batch in batches]


def test_streams_depend_on_every_argument_and_on_nothing_else():
    np.random.seed(1)  # noqa: NPY002
    first = random_stream(1, "a", 2, 3).integers(1 << 60)
    np.random.seed(2)  # noqa: NPY002
    assert random_stream(1, "a", 2, 3).integers(1 << 60) == first
    others = [(2, "a", 2, 3), (1, "b", 2, 3), (1, "a", 3, 2), (1, "a", 2), (1, "a", 2, 4)]
    assert len({first, *(random_stream(*key).integers(1 << 60) for key in others)}) == 6


def test_streams_stay_what_they_were():
    """Another value here means that every trained artifact changes: raise the versions of all trained stages."""
    assert random_stream(5, "x", 7).integers(1 << 60) == 391074167488715068


def test_an_epoch_is_a_permutation_without_its_last_partial_batch():
    order = samples()
    assert order.epoch_steps == steps_per_epoch(10, 3) == 3
    epochs = [np.concatenate([order.items(epoch * 3 + step) for step in range(3)]) for epoch in range(20)]
    for epoch in epochs:
        assert len(set(epoch.tolist())) == 9 and set(epoch.tolist()) <= set(range(10))
    assert len({tuple(epoch) for epoch in epochs}) == 20
    assert set(np.concatenate(epochs).tolist()) == set(range(10))
    assert (
        len({(set(range(10)) - set(epoch.tolist())).pop() for epoch in epochs}) > 3
    )  # not always the same one left out


def test_fewer_items_than_a_batch_repeat_evenly():
    order = samples(count=3, batch=8)
    assert order.epoch_steps == 1
    counts = np.bincount(order.items(5), minlength=3)
    assert counts.sum() == 8 and counts.min() == 2 and counts.max() == 3


def test_items_in_any_sequence_of_questions():
    straight = [samples().items(step).tolist() for step in range(12)]
    order = samples()
    assert [order.items(step).tolist() for step in reversed(range(12))] == straight[::-1]


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_do_not_depend_on_where_they_start_or_who_decodes(workers):
    expected = listed(samples().batches(0, 8, 0, pinned=False))
    assert listed(samples().batches(0, 8, workers, pinned=False)) == expected
    assert listed(samples().batches(5, 8, workers, pinned=False)) == expected[5:]
    assert listed(samples().batches(8, 8, workers, pinned=False)) == []


def test_every_sample_draws_its_own_numbers():
    numbers = [number for _, drawn in listed(samples().batches(0, 30, 0, pinned=False)) for number in drawn]
    assert len(set(numbers)) == 90


def test_seed_and_stage_change_the_order():
    plain = listed(samples().batches(0, 3, 0, pinned=False))
    assert listed(samples(seed=1).batches(0, 3, 0, pinned=False)) != plain
    assert listed(samples(stream="other").batches(0, 3, 0, pinned=False)) != plain


def test_nothing_to_train_on_is_a_users_error():
    with pytest.raises(UserError, match="nothing to train on"):
        samples(count=0)


def parts(batch):
    return listed(samples(batch=batch).batches(3, 6, 0, pinned=False))


def test_processes_share_the_batches_of_one():
    """1, 2 and 4 processes: the parts of a step, put together in their ranks' order, are the batch of one process."""
    whole = parts(8)
    for count in (2, 4):
        shares = in_processes(count, parts, 8)
        assert {len(items) for share in shares for items, _ in share} == {8 // count}
        for step, (items, numbers) in enumerate(whole):
            assert [item for share in shares for item in share[step][0]] == items
            assert [number for share in shares for number in share[step][1]] == numbers
