"""`maskvos datasets`: the catalogue as a table, its addresses, and how to get what cannot be downloaded."""

import argparse
import textwrap

from rich.console import Console
from rich.table import Table

from maskvos.datasets.catalogue import CATALOGUE, Entry


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the program's parser; its ``func`` prints and returns the exit status."""
    parser = subparsers.add_parser("datasets", help="list the public datasets and how to get them")
    parser.add_argument("--folder", default="data", help="data.folder of the parameters (default: %(default)s)")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Print the catalogue."""
    console = Console()
    table = Table(box=None, padding=(0, 1, 0, 0))  # no lines: everything must fit 80 columns whole
    for title in ("name", "layout", "split", "sequences", "frames", "size", "access"):
        table.add_column(title, no_wrap=True, justify="right" if title in ("sequences", "frames", "size") else "left")
    for entry in CATALOGUE.values():
        for split, content in entry.splits.items():
            table.add_row(
                entry.name,
                entry.layout,
                split,
                str(content.sequences),
                str(content.frames or ""),
                f"{entry.size:g} GB",
                "download" if entry.address else "by hand",
            )
    console.print(table, width=max(80, console.width), crop=False)  # a name that is cut cannot be copied
    for licence in dict.fromkeys(entry.licence for entry in CATALOGUE.values()):
        names = ", ".join(entry.name for entry in CATALOGUE.values() if entry.licence == licence)
        console.print(f"licence {licence}: {names}", highlight=False)
    for entry in CATALOGUE.values():
        text = f"{entry.name}:\n {entry.address}" if entry.address else explain(entry, args.folder)
        # Folded between words here, because the console would fold an address or a path anywhere.
        lines = (
            textwrap.wrap(line, console.width, break_long_words=False, break_on_hyphens=False)
            for line in text.splitlines()
        )
        console.print("\n".join(part for line in lines for part in line), markup=False, highlight=False, soft_wrap=True)
    return 0


def explain(entry: Entry, folder: str) -> str:
    """How to get an entry that cannot be downloaded: numbered steps, the last one names the place for the file."""
    steps = [*entry.steps, f"Put it there: {folder}/archives/{entry.name}/{entry.archive}, or name it (or the"]
    steps[-1] += " unpacked folder) in the dataset's parameter 'path'."
    return f"{entry.name}:\n" + "\n".join(f"  {number}. {step}" for number, step in enumerate(steps, 1))
