"""What ``maskvos evaluate`` prints and writes."""

import sys
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

from rich.console import Console

from maskvos.evaluation.formats import SUFFIXES, Format, headline, render
from maskvos.evaluation.frames import frames_text
from maskvos.evaluation.result import Result, objects_text
from maskvos.evaluation.table import Sort, tables
from maskvos.evaluation.worst import Scene, remove_pictures, write_worst
from maskvos.storage.atomic import atomic_file
from maskvos.tables.terminal import print_table

MOST_OBJECTS = 100  # beyond that (YouTube-VOS has over a thousand) the terminal shows sequences only


@dataclass(frozen=True)
class Outputs:
    """Files to write (None: not asked for) and what goes to standard output."""

    files: tuple[Path, ...]
    objects: Path | None
    frames: Path | None
    style: Literal["table"] | Format
    sort: Sort
    worst: int
    worst_folder: Path

    def write(self, result: Result, scene: Scene) -> None:
        """Write all files or none, print the result and what was forgiven, and name the files.

        Raises:
            UserError: a file cannot be written, or an image for a picture cannot be read.
        """
        with ExitStack() as stack:
            partial = {path: stack.enter_context(atomic_file(path)) for path in self.paths}
            for path in self.files:
                partial[path].write_text(render(result, SUFFIXES[path.suffix.lower()], self.sort), encoding="utf-8")
            if self.objects is not None:
                partial[self.objects].write_text(objects_text(result), encoding="utf-8")
            if self.frames is not None:
                partial[self.frames].write_text(frames_text(result.frames), encoding="utf-8", newline="")
            if self.worst:
                write_worst(result, scene, self.worst, self.worst_folder)
        if self.style == "table":
            print_tables(result, self.sort)
        else:
            print(render(result, self.style, self.sort), end="")
        for fault in result.forgiven or ():
            print(f"forgiven: {fault.message}", file=_remarks(self.style))
        report_written([*self.paths, *[self.worst_folder] * bool(self.worst)], self.style)
        if self.files and not self.worst and remove_pictures(self.worst_folder):
            print(f"removed: {self.worst_folder}, pictures of the evaluation before", file=_remarks(self.style))

    @property
    def paths(self) -> list[Path]:
        """Every file that is written."""
        return [*self.files, *(path for path in (self.objects, self.frames) if path is not None)]


def print_tables(result: Result, sort: Sort = "worst", console: Console | None = None) -> None:
    """Objects (unless there are very many), then sequences, so that the means end the page; in percent."""
    console = console or Console()
    title = f"{headline(result)}, in percent"
    shown = tables(result, sort)
    if len(result.scores) <= MOST_OBJECTS:
        shown.reverse()
    else:
        del shown[1:]
    for number, table in enumerate(shown):
        print_table(console, "" if number else title, table)


def report_written(paths: Iterable[Path], style: str) -> None:
    """Name the files."""
    names = ", ".join(map(str, paths))
    if names:
        print(f"written: {names}", file=_remarks(style))


def _remarks(style: str) -> TextIO:
    """Remarks for people go to standard error where what is printed is for a program."""
    return sys.stdout if style == "table" else sys.stderr


def write_texts(texts: Mapping[Path, str]) -> None:
    """Write all files or none.

    Raises:
        UserError: one cannot be written.
    """
    with ExitStack() as stack:
        for path, text in texts.items():
            stack.enter_context(atomic_file(path)).write_text(text, encoding="utf-8")
