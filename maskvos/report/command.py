"""`maskvos table`: the results on the terminal, and as a Markdown page."""

import argparse
from pathlib import Path

from rich.console import Console

from maskvos.errors import UserError
from maskvos.params import read_all_params
from maskvos.report.experiment_table import experiment_table
from maskvos.report.experiments import read_experiments
from maskvos.report.markdown import render_markdown
from maskvos.report.records import read_results
from maskvos.report.tables import results_table
from maskvos.storage.atomic import atomic_file
from maskvos.tables.markdown import markdown_table
from maskvos.tables.terminal import print_table


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register ``maskvos table [ARTIFACTS | --experiments NAME ...] [--markdown FILE]``."""
    parser = subparsers.add_parser("table", help="print the results of a run, or write them as a Markdown page")
    parser.add_argument("artifacts", nargs="?", type=Path, default=Path("artifacts"), help="default: artifacts")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the results, settings and times here too")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="default: params.yaml")
    parser.add_argument("--logs", type=Path, default=Path("logs"), help="for --markdown; default: logs")
    parser.add_argument(
        "--experiments",
        nargs="*",
        metavar="NAME",
        help="compare what `dvc exp` ran instead, those that differ in their seed alone as one line with mean and "
        "standard deviation; default: all that are done",
    )
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> None:
    """Print one table for each evaluation set of the parameters, then where the report is; or experiments.

    Raises:
        UserError: the parameters or one of the results cannot be read, or there are no results.
    """
    if args.experiments is not None:
        _experiments(args)
        return
    params = read_all_params(args.params)
    results = read_results(args.artifacts, params.plan)
    if not results:
        raise UserError(
            f"{args.artifacts}: no evaluation/SET/ROW/metrics.json of the sets and rows in {args.params}. Run the "
            "pipeline first, or name the folder, or with --params the parameters that its results belong to."
        )
    console = Console()
    for name, rows in results.items():
        if not rows[-1].scored:
            console.print(f'{name}: not scored, protocol "{rows[-1].protocol}"', highlight=False)
            continue
        objects = f"{rows[0].objects} object{'' if rows[0].objects == 1 else 's'}"
        print_table(console, f"{name}: mean over {objects}, percent", results_table(rows))
    report = args.artifacts / "report" / "report.html"
    console.print(f"report: {report}" if report.is_file() else "report: not made yet", soft_wrap=True, highlight=False)
    if args.markdown:
        _write(args.markdown, render_markdown(params, results, args.logs), console)


def _experiments(args: argparse.Namespace) -> None:
    table = experiment_table(read_experiments(args.experiments))
    if not table.lines:
        raise UserError("no experiment is done yet. `dvc exp run` makes one, `dvc queue status` says what runs.")
    console = Console()
    print_table(console, "mean over all objects, percent", table)
    if args.markdown:
        _write(args.markdown, markdown_table(table) + "\n", console)


def _write(path: Path, page: str, console: Console) -> None:
    with atomic_file(path) as partial:
        partial.write_text(page, encoding="utf-8")
    console.print(f"written: {path}", soft_wrap=True, highlight=False)
