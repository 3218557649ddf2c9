"""``maskvos evaluate compare A B``: two runs on the same set, and whether their difference is more than chance."""

import argparse
from pathlib import Path

import numpy as np
from rich.console import Console

from maskvos.errors import UserError
from maskvos.evaluation.comparison import Comparison, compare_runs
from maskvos.evaluation.comparison_formats import difference_table, render_comparison, signed, summary_table
from maskvos.evaluation.formats import SUFFIXES
from maskvos.evaluation.output_options import add_format_arguments, check_files
from maskvos.evaluation.outputs import report_written, write_texts
from maskvos.evaluation.runs import Run, frames_beside, read_run
from maskvos.evaluation.spread import pick_spread
from maskvos.evaluation.verdict import verdict
from maskvos.tables.table import Cell, Line, Table, percent
from maskvos.tables.terminal import print_table

FRAMES = 5  # lines of the table of frames


def add_compare_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``compare`` to ``maskvos evaluate``."""
    parser = subparsers.add_parser(
        "compare",
        help="two results on the same set: paired differences with a bootstrap interval",
        description="By how much B differs from A. The interval resamples whole sequences; in each resample the mean "
        "is over objects, as in the protocol.",
    )
    for name in ("first", "second"):
        parser.add_argument(name, type=Path, metavar="AB"[name == "second"], help="metrics.json, or the folder with it")
    parser.add_argument("--confidence", type=float, default=0.95, metavar="P", help="of the interval (default: 0.95)")
    parser.add_argument("--resamples", type=int, default=10_000, metavar="N", help="default: 10000")
    parser.add_argument("--seed", type=int, default=0, help="of the resamples (default: 0)")
    parser.add_argument("--rows", type=int, default=10, metavar="N", help="sequences on the terminal (default: 10)")
    add_format_arguments(parser)
    parser.set_defaults(func=run_compare)


def run_compare(arguments: argparse.Namespace) -> None:
    """Compare, write the files, print.

    Raises:
        UserError: a result cannot be read, the two do not belong to the same set, or a file cannot be written.
    """
    if arguments.rows < 0:
        raise UserError(f"--rows {arguments.rows}: expected how many sequences to show.")
    first, second = read_run(arguments.first), read_run(arguments.second)
    inputs = (first.path, second.path)
    check_files(arguments.output, arguments.output, (*inputs, *map(frames_beside, inputs)))
    comparison = compare_runs(first, second, arguments.confidence, arguments.resamples, arguments.seed)
    write_texts({path: render_comparison(comparison, SUFFIXES[path.suffix.lower()]) for path in arguments.output})
    if arguments.format == "table":
        _print(comparison, first, second, arguments.rows)
    else:
        print(render_comparison(comparison, arguments.format), end="")
    report_written(arguments.output, arguments.format)


def _print(comparison: Comparison, first: Run, second: Run, rows: int) -> None:
    console = Console()
    for name, run in (("A", first), ("B", second)):
        remark = f" (lenient: {run.forgiven} faults forgiven)" if run.forgiven else ""
        console.print(f"{name}: {run.path}{remark}", markup=False, highlight=False, soft_wrap=True)
    print_table(console, f"{comparison.protocol} {comparison.set}, in percent", summary_table(comparison))
    print_table(console, "where they differ most", difference_table(comparison, rows))
    if first.frames and second.frames:
        print_table(console, "frames where they differ most", frame_table(first, second))
    console.print(verdict(comparison), markup=False, highlight=False, soft_wrap=True)


def frame_table(first: Run, second: Run, most: int = FRAMES) -> Table:
    """Frames where (J + F) / 2 of an object differs most, in percent; neighbours left out as in `pick_spread`."""
    both = {key: tuple((run.frames[key].J + run.frames[key].F) / 2 for run in (first, second)) for key in first.frames}
    lines = []
    for key, place in pick_spread({key: -np.abs(after - before) for key, (before, after) in both.items()}, most):
        before, after = (float(values[place]) for values in both[key])
        frame = first.frames[key].frames[place]
        cells = [Cell(frame), Cell(percent(before)), Cell(percent(after)), Cell(signed(after - before))]
        lines.append(Line(f"{key[0]}_{key[1]}", cells))
    return Table(["Object", "Frame", "J&F A", "B", "B − A"], lines)
