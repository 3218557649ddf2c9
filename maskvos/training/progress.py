"""Progress of training: a live bar on a terminal, plain lines in the log."""

import sys
import time
from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from maskvos.console import log
from maskvos.parallel.collectives import is_first
from maskvos.training.curves import Row


class Progress:
    """Steps, rate, remaining time and losses."""

    def __init__(self, name: str, total: int, done: int) -> None:
        self._name, self._total, self._first, self._started = name, total, done, time.perf_counter()
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        figures = (TextColumn("{task.fields[rate]}"), TextColumn("{task.fields[losses]}"))
        self._bar = RichProgress(*columns, *figures, disable=not (is_first() and sys.stderr.isatty()))
        self._task = self._bar.add_task(name, total=total, completed=done, rate="", losses="")

    def __enter__(self) -> "Progress":
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def report(self, done: int, row: Row) -> None:
        """One row of the curve has become known."""
        rate = (done - self._first) / (time.perf_counter() - self._started)
        losses = " ".join(f"{name} {row[name]:.4f}" for name in row if name not in ("step", "epoch", "learning_rate"))
        self._bar.update(self._task, completed=done, rate=f"{rate:.2f} steps/s", losses=losses)
        left = (self._total - done) / rate
        log.info("%s %d/%d  %.2f steps/s  %d s left  %s", self._name, done, self._total, rate, left, losses)
