"""How far a long loop has come: a bar on a terminal, plain lines now and then everywhere else."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from maskvos.console import log

Item = TypeVar("Item")
_SECONDS_BETWEEN_LINES = 15.0


def track(items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
    """Pass ``items`` on, showing how many of ``total`` have been taken; ``what`` names them ("clips")."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import track as rich_track

        yield from rich_track(items, what, total=total, console=Console(stderr=True), transient=True)
        return
    shown = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        if done < total and time.monotonic() - shown > _SECONDS_BETWEEN_LINES:
            shown = time.monotonic()
            log.info("%d of %d %s", done, total, what)
