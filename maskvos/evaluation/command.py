"""``maskvos evaluate davis`` and ``maskvos evaluate youtubevos``: score a folder of predictions."""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

from maskvos.errors import UserError
from maskvos.evaluation.compare_command import add_compare_parser
from maskvos.evaluation.davis import evaluate_davis
from maskvos.evaluation.ground_truth import find_davis, find_youtubevos
from maskvos.evaluation.output_options import add_output_arguments, read_outputs
from maskvos.evaluation.result import Result
from maskvos.evaluation.submit_command import Subparsers, add_submit
from maskvos.evaluation.worst import Scene
from maskvos.evaluation.youtubevos import evaluate_youtubevos


def add_parser(subparsers: Subparsers) -> None:
    """Add ``evaluate`` to the ``maskvos`` command; the parsed arguments carry the function to call as ``func``."""
    parser = subparsers.add_parser(
        "evaluate",
        help="score predicted masks: J and F",
        description="Score PREDICTIONS/SEQUENCE/FRAME.png (palette PNG, pixel value = object id) against ground truth "
        "in the DAVIS or YouTube-VOS layout, or any plain folder of such masks.",
    )
    protocols = parser.add_subparsers(dest="protocol", required=True)
    davis = protocols.add_parser(
        "davis",
        help="DAVIS-2016 or DAVIS-2017 semi-supervised protocol, as the official evaluator",
        description="2017: every object of the first frame. 2016: one object, all that is not background in ground "
        "truth and prediction. First and last frames left out.",
    )
    davis.add_argument("--set", help="list of sequences: ROOT/ImageSets/YEAR/SET.txt (default: val)")
    davis.add_argument("--year", type=int, choices=(2016, 2017), default=2017, help="protocol (default: 2017)")
    davis.set_defaults(func=_davis)
    youtubevos = protocols.add_parser(
        "youtubevos",
        help="YouTube-VOS layout, scored locally",
        description="Each object from its own first frame on, where ground truth is at hand (ROOT/ground_truth, "
        "ROOT_ground_truth or ROOT itself).",
    )
    youtubevos.set_defaults(func=_youtubevos)
    for protocol in (davis, youtubevos):
        _add_shared(protocol)
    add_submit(protocols)
    add_compare_parser(protocols)


def _add_shared(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--ground-truth",
        type=Path,
        required=True,
        metavar="ROOT",
        help="the dataset's folder, or a plain folder of SEQUENCE/FRAME.png, which is scored whole",
    )
    parser.add_argument("--predictions", type=Path, required=True, metavar="DIR", help="folder of SEQUENCE/FRAME.png")
    parser.add_argument("--sequences", nargs="+", metavar="NAME", help="score these alone (default: the whole set)")
    add_output_arguments(parser)
    parser.add_argument(
        "--lenient",
        action="store_true",
        help="score what the official tool would score although frames, sequences or ids do not fit the ground truth, "
        "and list what was forgiven (default: any misfit is an error and nothing is written)",
    )
    parser.add_argument(
        "--processes", type=int, default=0, metavar="N", help="at a time (default: as many as pay, at most one a core)"
    )


def _davis(arguments: argparse.Namespace) -> None:
    _run(
        arguments,
        lambda processes, progress: evaluate_davis(
            arguments.ground_truth,
            arguments.predictions,
            arguments.set,
            processes,
            progress,
            arguments.sequences,
            year=arguments.year,
            lenient=arguments.lenient,
        ),
        lambda root: Scene(find_davis(root), arguments.predictions, merged=arguments.year == 2016),
    )


def _youtubevos(arguments: argparse.Namespace) -> None:
    _run(
        arguments,
        lambda processes, progress: evaluate_youtubevos(
            arguments.ground_truth,
            arguments.predictions,
            processes,
            progress,
            arguments.sequences,
            lenient=arguments.lenient,
        ),
        lambda root: Scene(find_youtubevos(root), arguments.predictions),
    )


def _run(
    arguments: argparse.Namespace,
    evaluate: Callable[[int, Callable[[int, int], None]], Result],
    find: Callable[[Path], Scene],
) -> None:
    """Evaluate with a progress bar, print the tables, write the files.

    Raises:
        UserError: ground truth or predictions do not fit, or a file cannot be written or not there.
    """
    if arguments.processes < 0:
        raise UserError(f"--processes {arguments.processes}: expected 1 or more, or 0 for as many as pay.")
    outputs = read_outputs(arguments)
    if outputs.worst and outputs.worst_folder.resolve().parent == arguments.predictions.resolve():
        raise UserError(
            f"--show-worst: {outputs.worst_folder} would lie among the sequences of {arguments.predictions}, and be "
            "taken for one the next time. Name a folder elsewhere with --worst-dir."
        )
    columns = (*Progress.get_default_columns(), MofNCompleteColumn(), TimeElapsedColumn())
    terminal = Console(stderr=True)
    with Progress(*columns, console=terminal, transient=True, disable=not terminal.is_terminal) as bar:
        task = bar.add_task("frames", total=None)
        result = evaluate(arguments.processes, lambda done, total: bar.update(task, completed=done, total=total))
    inputs = {"ground_truth": arguments.ground_truth, "predictions": arguments.predictions}
    result = replace(result, inputs={name: str(path.resolve()) for name, path in inputs.items()})
    outputs.write(result, find(arguments.ground_truth))
