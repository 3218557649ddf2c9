"""Order, errors, and that no more is begun than is soon taken."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from maskvos.errors import UserError
from maskvos.evaluation import pool
from maskvos.evaluation.pool import AHEAD, BATCH, WORTH, choose_processes, measure_all


def square(item: int) -> int:
    time.sleep(0.001 * (item % 2 == 0))
    return item * item


def fail_from_forty(item: int) -> int:
    if item == 40:
        time.sleep(0.1)  # later ones fail earlier
    if item >= 40:
        raise UserError(f"item {item}")
    return item


def process(item: int) -> int:
    time.sleep(0.02)
    return os.getpid()


def name_worker(item: int) -> None:
    os.write(1, f"{os.getpid()}\n".encode())
    time.sleep(0.1)


def die(item: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("processes", [0, 1, 2, 3])
def test_results_come_in_the_order_of_the_items(processes: int):
    assert list(measure_all(square, iter(range(100)), processes)) == [item * item for item in range(100)]
    assert list(measure_all(square, [], processes)) == []


@pytest.mark.parametrize("processes", [1, 2])
def test_only_a_few_items_are_drawn_before_their_turn(processes: int):
    drawn = 0

    def items() -> Iterator[int]:
        nonlocal drawn
        while drawn < 10_000:
            drawn += 1
            yield drawn

    results = measure_all(square, items(), processes)
    for taken in range(1, 40):
        assert next(results) == taken * taken
        assert drawn <= taken + BATCH * (AHEAD * processes + 1)
    results.close()
    assert drawn < 200


@pytest.mark.parametrize("processes", [1, 2])
def test_the_first_error_by_order_is_raised_after_what_came_before_it(processes: int):
    taken: list[int] = []
    with pytest.raises(UserError, match=r"^item 40$"):
        taken.extend(measure_all(fail_from_forty, range(1000), processes))
    results = measure_all(fail_from_forty, range(1000), processes)
    assert [next(results) for _ in range(40)] == list(range(40))
    with pytest.raises(UserError, match=r"^item 40$"):
        next(results)


def test_the_work_is_shared():
    own = os.getpid()
    assert set(measure_all(process, range(3), 1)) == {own}
    found = set(measure_all(process, range(8 * BATCH), 2))
    assert len(found) == 2
    assert own not in found


def test_a_killed_process_is_an_error_and_no_hang():
    with pytest.raises(UserError, match="killed"):
        list(measure_all(die, range(100), 2))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_a_caller_that_is_killed(number: signal.Signals):
    code = f"from {__name__} import *; list(measure_all(name_worker, range(1000), 2))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as caller:
        assert caller.stdout is not None
        assert int(caller.stdout.readline()) != caller.pid
        caller.send_signal(number)
        assert caller.wait(10) == -number
        deadline = time.monotonic() + 10
        os.set_blocking(caller.stdout.fileno(), False)
        while caller.stdout.read() != b"":  # None while a worker lives: it holds the other end
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_new_processes_serve_where_there_is_no_forkserver(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pool, "get_all_start_methods", lambda: ["spawn"])
    assert list(measure_all(square, range(40), 2)) == [item * item for item in range(40)]


def test_as_many_processes_as_pay(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pool.os, "sched_getaffinity", lambda _: range(4))
    assert [choose_processes(items) for items in (0, WORTH - 1, WORTH, 3 * WORTH, 99 * WORTH)] == [1, 1, 2, 4, 4]
