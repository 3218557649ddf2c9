"""Ctrl-C and a termination end a run between two frames, where the tracker's state is whole and can be kept."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def end_between_frames() -> Iterator[Callable[[], bool]]:
    """Yield a function that says whether the end has been asked for; once the block is left, the signal takes effect.

    A second Ctrl-C does not wait. Outside the main thread signals stay as they are.
    """
    asked: list[int] = []

    def ask(number: int, _frame: FrameType | None) -> None:
        if asked:
            _end(number)
        asked.append(number)

    main = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)} if main else {}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if asked:
        _end(asked[0])


def _end(number: int) -> None:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(128 + number)
