"""What ``maskvos evaluate`` prints and writes: chosen by options, checked before anything is computed."""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO, get_args

from rich.console import Console

from maskvos.errors import UserError
from maskvos.evaluation.formats import SUFFIXES, Format, format_of, headline, render
from maskvos.evaluation.frames import write_frames
from maskvos.evaluation.result import Result, write_objects
from maskvos.evaluation.table import Sort, tables
from maskvos.evaluation.worst import Scene, check_folder, write_worst
from maskvos.storage.atomic import atomic_file
from maskvos.tables.terminal import terminal_table

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
                write_objects(result, partial[self.objects])
            if self.frames is not None:
                write_frames(result.frames, partial[self.frames])
            if self.worst:
                write_worst(result, scene, self.worst, self.worst_folder)
        if self.style == "table":
            print_tables(result, self.sort)
        else:
            print(render(result, self.style, self.sort), end="")
        for fault in result.forgiven or ():
            print(f"forgiven: {fault.message}", file=_remarks(self.style))
        report_written([*self.paths, *[self.worst_folder] * bool(self.worst)], self.style)

    @property
    def paths(self) -> list[Path]:
        """Every file that is written."""
        return [*self.files, *(path for path in (self.objects, self.frames) if path is not None)]


def add_format_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--output``, which `check_files` checks, and ``--format``."""
    parser.add_argument(
        "--output",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="file to write: .json, .csv, .md or .tex; may be given several times",
    )
    parser.add_argument(
        "--format", choices=("table", *get_args(Format)), default="table", help="of what is printed (default: table)"
    )


def add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that `read_outputs` reads."""
    add_format_arguments(parser)
    parser.add_argument(
        "--objects",
        type=Path,
        metavar="CSV",
        help="per-object table as the official evaluator's (default: beside .json)",
    )
    parser.add_argument("--frames", type=Path, metavar="CSV", help="J and F of every object on every scored frame")
    parser.add_argument(
        "--sort", choices=get_args(Sort), default="worst", help="which J&F comes first, or by name (default: worst)"
    )
    parser.add_argument(
        "--show-worst", type=int, default=0, metavar="N", help="draw the N worst frames of objects, by J&F, as pictures"
    )
    parser.add_argument("--worst-dir", type=Path, metavar="DIR", help="for them (default: beside the first output)")


def read_outputs(arguments: argparse.Namespace) -> Outputs:
    """The options, checked.

    Raises:
        UserError: a suffix is unknown, two outputs are one file, or the folder of pictures holds something else.
    """
    files = tuple(arguments.output)
    metrics = next((path for path in files if format_of(path) == "json"), None)
    beside = None if metrics is None else metrics.with_name(_objects_name(metrics))
    outputs = Outputs(
        files,
        arguments.objects or beside,
        arguments.frames,
        arguments.format,
        arguments.sort,
        arguments.show_worst,
        arguments.worst_dir or _worst_folder(files),
    )
    check_files(files, outputs.paths)
    if outputs.worst < 0:
        raise UserError(f"--show-worst {outputs.worst}: expected how many pictures to draw.")
    if outputs.worst:
        check_folder(outputs.worst_folder, outputs.paths)
    return outputs


def check_files(files: Iterable[Path], written: Iterable[Path], inputs: Iterable[Path] = ()) -> None:
    """Check ``--output`` before anything is computed.

    Args:
        files: of ``--output``.
        written: every file that is written, those of ``--output`` too.
        inputs: files that must stay.

    Raises:
        UserError: a suffix is unknown, or a file would take the place of another.
    """
    for path in files:
        if format_of(path) is None:
            raise UserError(f"--output {path}: unknown format. End the name in {', '.join(SUFFIXES)}.")
    times = Counter(path.resolve() for path in written) + Counter({path.resolve() for path in inputs})
    twice = next((path for path, number in times.items() if number > 1), None)
    if twice is not None:
        raise UserError(f"{twice}: an output would take the place of another or of an input. Give each its own name.")


def _objects_name(output: Path) -> str:
    """``metrics.json`` -> ``objects.csv``; ``a.json`` -> ``a_objects.csv``, so that results can share a folder."""
    return "objects.csv" if output.stem == "metrics" else f"{output.stem}_objects.csv"


def _worst_folder(files: tuple[Path, ...]) -> Path:
    """``worst`` beside ``metrics.json``, ``a_worst`` beside any other ``a.json``; here without any output."""
    if not files:
        return Path("worst")
    return files[0].with_name("worst" if files[0].stem == "metrics" else f"{files[0].stem}_worst")


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
        console.print(terminal_table("" if number else title, table))


def report_written(paths: Iterable[Path], style: str) -> None:
    """Name the files."""
    names = ", ".join(map(str, paths))
    if names:
        print(f"written: {names}", file=_remarks(style))


def _remarks(style: str) -> TextIO:
    """Remarks for people go to standard error where what is printed is for a program."""
    return sys.stdout if style == "table" else sys.stderr


def write_text(path: Path, text: str) -> None:
    """Write a file atomically.

    Raises:
        UserError: it cannot be written.
    """
    with atomic_file(path) as partial:
        partial.write_text(text, encoding="utf-8")
