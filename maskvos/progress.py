"""How far a long loop has come and how fast: a bar on a terminal, plain lines now and then everywhere else."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from maskvos.console import log

Item = TypeVar("Item")
_SECONDS_BETWEEN_LINES = 15.0


def track(items: Iterable[Item], total: int, what: str, done: int = 0) -> Iterator[Item]:
    """Pass ``items`` on, showing how many have been taken and at what rate; a line at the end sums up.

    Args:
        items: those still to come.
        total: all of them, those ``done`` before included.
        what: names them ("clips").
        done: how many an earlier, interrupted run has behind it; they do not count for the rate.
    """
    started = time.perf_counter()
    count = 0
    for item in _show(items, total, what, done):
        count += 1
        yield item
    log.info("%d %s in %s", count, what, _spent(count, what, started))


def _show(items: Iterable[Item], total: int, what: str, done: int) -> Iterator[Item]:
    if sys.stderr.isatty():
        yield from _draw_bar(items, total, what, done)
        return
    started = time.perf_counter()
    shown = time.monotonic()
    for number, item in enumerate(items, start=done + 1):
        yield item
        if number < total and time.monotonic() - shown > _SECONDS_BETWEEN_LINES:
            shown = time.monotonic()
            log.info("%d of %d %s, %s", number, total, what, _rate(number - done, what, started))


def _draw_bar(items: Iterable[Item], total: int, what: str, done: int) -> Iterator[Item]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    started = time.perf_counter()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total, completed=done, rate="")
        for count, item in enumerate(items, start=1):
            yield item
            bar.update(task, advance=1, rate=_rate(count, what, started))


def _spent(count: int, what: str, started: float) -> str:
    return f"{time.perf_counter() - started:.1f} s, {_rate(count, what, started)}"


def _rate(count: int, what: str, started: float) -> str:
    """Such as "8.5 frames/s": the mean since ``started``, three digits."""
    rate = count / max(time.perf_counter() - started, 1e-6)
    return f"{rate:.0f} {what}/s" if rate >= 100 else f"{rate:.3g} {what}/s"
