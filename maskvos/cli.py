"""The command line: one subcommand for each thing that users do by hand."""

import argparse
import difflib
import importlib
import io
import logging
import os
import re
import select
import signal
import sys
from typing import Any

from maskvos import __version__
from maskvos.errors import UserError, explain

# Subcommand -> the module whose `add_parser(subparsers)` defines it, and its line in the help. Only the module that is
# asked for is imported: evaluation needs no torch, and nothing else needs Hydra and DVC.
COMMANDS = {
    "compose": ("maskvos.composition", "write params.yaml from a preset and overrides"),
    "convert": ("maskvos.convert.command", "convert a public checkpoint (CRW, VFS, DINO, DUL)"),
    "datasets": ("maskvos.datasets.command", "list the public datasets and how to get them"),
    "evaluate": ("maskvos.evaluation.command", "score predicted masks (DAVIS, YouTube-VOS)"),
    "segment": ("maskvos.inference.command", "segment the marked objects through a video"),
    "table": ("maskvos.report.command", "print the results table, or write it as Markdown"),
    "weights": ("maskvos.networks.weights_command", "show what a weights file says of itself, or publish it"),
    "sync": ("maskvos.sync", "after a run by one of Snakemake and DVC, let the other know"),
}


class WholeOptions(argparse.ArgumentParser):
    """No abbreviated options, here and in subcommands: ``--overlay`` must not be taken for ``--overlay-rate``."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuse what a subcommand does not know here, where its usage is at hand; argparse leaves it to ``maskvos``,
        whose usage has no options. The nearest option is named."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            options = re.findall(r"--[a-z][a-z-]*", self.format_usage())
            near = difflib.get_close_matches(unknown[0].split("=")[0], options, n=1)
            remedy = f". Did you mean {near[0]}?" if near else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{remedy}")
        return found, unknown


def main(arguments: list[str] | None = None) -> None:
    """Run one subcommand; a user's error is one line on stderr and exit status 2, Ctrl-C one line and 130."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    given = sys.argv[1:] if arguments is None else arguments
    parser = WholeOptions(prog="maskvos", description="Self-supervised video object segmentation.")
    parser.add_argument("--version", action="version", version=f"maskvos {__version__}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (module, description) in COMMANDS.items():
        if given and given[0] == name:
            importlib.import_module(module).add_parser(subparsers)
        else:
            subparsers.add_parser(name, help=description)
    chosen = parser.parse_args(given)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a path need not be UTF-8
    # So that what was half-written is removed, as after Ctrl-C. Stages that train have a handler of their own.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        status = chosen.func(chosen)
        sys.stdout.flush()
    except BrokenPipeError:
        if not _reader_gone():  # another pipe, to a worker that died: an error
            raise
        # Who read (head, less) has what they wanted; Python's own flush at exit must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)
    except (UserError, OSError) as error:
        print(f"maskvos: error: {explain(error)}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("maskvos: interrupted", file=sys.stderr)
        sys.exit(130)
    sys.exit(status or 0)


def _reader_gone() -> bool:
    """Whether stdout is a pipe that nobody reads any more."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)  # errors are reported unasked
    return bool(poll.poll(0))


if __name__ == "__main__":
    main()
