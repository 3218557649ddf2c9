"""The options that say what ``maskvos evaluate`` prints and writes, checked before anything is computed."""

import argparse
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

from maskvos.errors import UserError
from maskvos.evaluation.formats import SUFFIXES, Format, format_of
from maskvos.evaluation.outputs import Outputs
from maskvos.evaluation.table import Sort
from maskvos.evaluation.worst import check_folder


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
    if arguments.worst_dir is not None and not outputs.worst:
        raise UserError(f"--worst-dir {arguments.worst_dir}: say with --show-worst how many pictures to draw.")
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
        UserError: a suffix is unknown, a file would take the place of another, or nothing can be written there.
    """
    written = list(written)
    for path in files:
        if format_of(path) is None:
            raise UserError(f"--output {path}: unknown format. End the name in {', '.join(SUFFIXES)}.")
    times = Counter(path.resolve() for path in written) + Counter({path.resolve() for path in inputs})
    twice = next((path for path, number in times.items() if number > 1), None)
    if twice is not None:
        raise UserError(f"{twice}: an output would take the place of another or of an input. Give each its own name.")
    for path in written:  # found only when it takes its place, such a file would leave the others without it
        if path.is_dir():
            raise UserError(f"{path}: a folder stands where this file is to be written. Name another file.")
        parent = next(folder for folder in path.absolute().parents if folder.exists())
        if not parent.is_dir():
            raise UserError(f"{path}: {parent} is a file, no folder. Name another place.")


def _objects_name(output: Path) -> str:
    """``metrics.json`` -> ``objects.csv``; ``a.json`` -> ``a_objects.csv``, so that results can share a folder."""
    return "objects.csv" if output.stem == "metrics" else f"{output.stem}_objects.csv"


def _worst_folder(files: tuple[Path, ...]) -> Path:
    """``worst`` beside ``metrics.json``, ``a_worst`` beside any other ``a.json``; here without any output."""
    if not files:
        return Path("worst")
    return files[0].with_name("worst" if files[0].stem == "metrics" else f"{files[0].stem}_worst")
