"""Progress of long transfers: a bar on a terminal, a plain line every tenth where there is none."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from maskvos.console import log


@contextmanager
def transfer(name: str, total: int | None, done: int = 0) -> Iterator[Callable[[int], None]]:
    """Yield a function that is told how many bytes have gone by since it was last called.

    Args:
        name: what is transferred.
        total: bytes in all, None where nobody knows.
        done: bytes that were there before.
    """
    if sys.stderr.isatty():
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        with Progress(*columns, TimeRemainingColumn()) as bar:
            task = bar.add_task(name, total=total, completed=done)
            yield lambda count: bar.update(task, advance=count)
        return
    step = max(1, (total or 10**9) // 10)
    position = done

    def advance(count: int) -> None:
        nonlocal position
        if (position + count) // step > position // step:
            share = f" ({100 * (position + count) // total} %)" if total else ""
            log.info("%s: %.1f MB%s", name, (position + count) / 1e6, share)
        position += count

    yield advance
