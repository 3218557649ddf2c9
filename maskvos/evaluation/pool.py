"""Measures many files side by side, in order.

Threads, not processes: inflating a PNG, two thirds of the work, releases the interpreter's lock, and nothing has to be
imported twice or sent. Two threads took no longer than two separate processes on half of the set each; spawned workers
took a fifth more processor time (docs/performance.md). Forked workers hung once OpenCV had started threads.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Found = TypeVar("Found")

AHEAD = 4  # items a thread that are begun before their turn: enough to keep it busy while one takes long


def measure_all(measure: Callable[[Item], Found], items: Iterable[Item], threads: int) -> Iterator[Found]:
    """``measure`` of each item, in the items' order, ``threads`` at a time.

    Memory does not grow with the number of items: only a few are begun before their results are taken. After an error
    (the first one by the items' order is raised) or when the caller stops, nothing more is begun.
    """
    _keep_freed_memory()
    if threads <= 1:
        yield from map(measure, items)
        return
    coming = iter(items)
    with ThreadPoolExecutor(threads) as pool:
        begun = deque(pool.submit(measure, item) for item in islice(coming, AHEAD * threads))
        try:
            while begun:
                found = begun.popleft().result()
                begun.extend(pool.submit(measure, item) for item in islice(coming, 1))
                yield found
        finally:
            pool.shutdown(cancel_futures=True)  # after the first error the rest is not worth computing


def _keep_freed_memory() -> None:
    """Let the C library keep the memory of one mask for the next.

    glibc gives freed blocks above a threshold back to the system at once, and the next mask's pages are then mapped and
    cleared anew: a quarter of the evaluation's time. It raises that threshold to the largest block that was ever freed.
    This frees one, never touched. Elsewhere it does nothing.
    """
    bytearray(1 << 24)
