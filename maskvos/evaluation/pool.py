"""Measures many files side by side, in order.

Processes, not threads: since masks inflate in a tenth of a millisecond, most of the work holds the interpreter's lock,
and two threads took longer than one (docs/performance.md). Workers are forked from a server that has imported what they
need and runs no thread; forks of a process in which OpenCV had started threads hung. The caller's main module must be
importable, as always with processes, and quickly, or its imports cost more than is won.
"""

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_all_start_methods, get_context, parent_process
from threading import Thread
from typing import Any, TypeVar

from maskvos.errors import UserError

Item = TypeVar("Item")
Found = TypeVar("Found")

BATCH = 16  # items that are sent together
AHEAD = 2  # batches a process that are begun before their turn: enough to keep it busy while one takes long
WORTH = 1000  # items: fewer are done before a second process has started


def choose_processes(items: int) -> int:
    """How many processes pay for so many items: at most one a core that this process may use."""
    return min(len(os.sched_getaffinity(0)), items // WORTH + 1)


def measure_all(measure: Callable[[Item], Found], items: Iterable[Item], processes: int) -> Iterator[Found]:
    """``measure``, a function of a module, of each item, in the items' order, in ``processes`` at a time.

    Memory does not grow with the number of items: only a few are begun before their results are taken. After an error
    (the first one by the items' order is raised) or when the caller stops, nothing more is begun.

    Raises:
        UserError: a process was killed.
    """
    if processes <= 1:
        _keep_freed_memory()
        yield from map(measure, items)
        return
    coming = _batches(items)
    with ProcessPoolExecutor(processes, _start(measure.__module__), _begin_worker) as pool:
        begun = deque(pool.submit(_measure_batch, measure, batch) for batch in islice(coming, AHEAD * processes))
        try:
            while begun:
                found, error = begun.popleft().result()
                begun.extend(pool.submit(_measure_batch, measure, batch) for batch in islice(coming, 1))
                yield from found
                if error is not None:
                    raise error
        except BrokenProcessPool:
            raise UserError(
                "a process of the evaluation was killed, maybe for memory, or could not start because the calling "
                "script has no `if __name__ == '__main__':`. Try one process."
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)  # after the first error the rest is not worth computing


def _batches(items: Iterable[Item]) -> Iterator[tuple[Item, ...]]:
    coming = iter(items)
    while batch := tuple(islice(coming, BATCH)):
        yield batch


def _measure_batch(measure: Callable[[Item], Found], batch: tuple[Item, ...]) -> tuple[list[Found], Exception | None]:
    """What was found up to the first error, and that error."""
    found = []
    for item in batch:
        try:
            found.append(measure(item))
        except Exception as error:
            return found, error
    return found, None


def _start(module: str) -> Any:
    """The context that starts processes: forked from a server that has imported ``module``, or new ones."""
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload([module])
    return context


def _begin_worker() -> None:
    """A worker ends with its caller, however that ends, and leaves Ctrl-C, which reaches both, to it.

    Workers wait for work at a pipe that they hold open themselves: after a SIGTERM to the caller alone, as Slurm and
    `timeout` send it, they and their server would wait forever.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_caller, daemon=True).start()
    _keep_freed_memory()


def _end_with_caller() -> None:
    caller = parent_process()
    if caller is not None:
        caller.join()
        os._exit(1)


def _keep_freed_memory() -> None:
    """Let the C library keep the memory of one mask for the next.

    glibc gives freed blocks above a threshold back to the system at once, and the next mask's pages are then mapped and
    cleared anew: a quarter of the evaluation's time. It raises that threshold to the largest block that was ever freed.
    This frees one, never touched. Elsewhere it does nothing.
    """
    bytearray(1 << 24)
