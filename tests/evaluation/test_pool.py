"""Order, errors, and that no more is begun than is soon taken."""

import threading
import time

import pytest

from maskvos.evaluation.pool import AHEAD, measure_all


@pytest.mark.parametrize("threads", [0, 1, 2, 5])
def test_results_come_in_the_order_of_the_items(threads: int):
    def slow_when_even(item: int) -> int:
        time.sleep(0.002 * (item % 2 == 0))
        return item * item

    assert list(measure_all(slow_when_even, iter(range(40)), threads)) == [item * item for item in range(40)]
    assert list(measure_all(slow_when_even, [], threads)) == []


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_only_a_few_items_are_begun_before_their_turn(threads: int):
    begun: list[int] = []
    results = measure_all(lambda item: begun.append(item) or item, range(1000), threads)
    for taken in range(1, 6):
        assert next(results) == taken - 1
        time.sleep(0.02)
        assert len(begun) <= taken + AHEAD * threads
    results.close()
    assert len(begun) < 100


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_the_first_error_by_order_is_raised_and_ends_it(threads: int):
    begun: list[int] = []

    def fail_from_five(item: int) -> int:
        begun.append(item)
        if item == 5:
            time.sleep(0.02)  # later ones fail earlier
        if item >= 5:
            raise ValueError(str(item))
        return item

    taken: list[int] = []
    with pytest.raises(ValueError, match=r"^5$"):
        taken.extend(measure_all(fail_from_five, range(1000), threads))
    assert len(begun) <= 6 + AHEAD * threads


def test_as_many_at_a_time_as_asked_for():
    together = threading.Barrier(3, timeout=10)
    assert list(measure_all(lambda item: together.wait() >= 0, range(6), 3)) == [True] * 6
