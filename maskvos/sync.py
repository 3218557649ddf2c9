"""`maskvos sync`: after a run by Snakemake or DVC, tell the other one that its outputs are up to date.

Neither is told anything unless the one that ran says itself that nothing is left to do: an ungated `dvc commit` or
`snakemake --touch` would hide a real edit.
"""

import argparse
import json
import subprocess
import sys
from typing import Any

from maskvos.console import log
from maskvos.errors import UserError


def sync() -> str:
    """Bring both tools' books in line in the current folder.

    Returns:
        What was done, as one sentence.

    Raises:
        UserError: neither tool is up to date, or one of them failed.
    """
    snakemake_done = _snakemake_done()
    dvc_done = not json.loads(call_tool("dvc", "status", "--json").stdout)
    if snakemake_done and dvc_done:
        return "Snakemake and DVC already agree"
    if snakemake_done:
        call_tool("dvc", "commit", "-f")
        return "DVC has recorded the results of the Snakemake run"
    if dvc_done:
        call_tool("snakemake", "--touch", "--cores", "1", "--quiet", "all")
        if not _snakemake_done():
            raise UserError("Snakemake still wants to rerun stages; `snakemake -n` says which and why")
        return "Snakemake takes the results of the DVC run as up to date"
    raise UserError(
        "neither Snakemake nor DVC is up to date, so there is nothing to hand over. `snakemake -n` and `dvc status` "
        "say what is left; finish one of them (`snakemake --cores all` or `dvc repro`), then sync again"
    )


def _snakemake_done() -> bool:
    answer = call_tool("snakemake", "-n", "--cores", "1")  # its exit status is 0 whether or not there is work
    return "Nothing to be done" in answer.stdout + answer.stderr


def call_tool(tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Snakemake or DVC, this interpreter's own whatever PATH says, and keep what it prints.

    Raises:
        UserError: it failed; says what it said.
    """
    answer = subprocess.run([sys.executable, "-m", tool, *arguments], capture_output=True, text=True, check=False)
    if answer.returncode:
        raise UserError(f"`{tool} {' '.join(arguments)}` failed:\n{(answer.stdout + answer.stderr).strip()}")
    return answer


def add_parser(subparsers: Any) -> None:
    """Add ``maskvos sync``."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "sync",
        help="after a run by Snakemake or DVC, let the other know that it is done",
        description="After a run by Snakemake or DVC, let the other know that it is done.",
    )
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> None:
    """``maskvos sync``."""
    log.info(sync())
