"""Stage report: one self-contained page about the whole run."""

import argparse
from pathlib import Path
from typing import Any

from maskvos.console import log, run_stage
from maskvos.params import read_all_params
from maskvos.report.html import render_report
from maskvos.revision import read_revision
from maskvos.storage.atomic import atomic_file

NAME = "report"
# The page prints every parameter, so a change to any of them makes a new page.
PARAMETERS: tuple[str, ...] = (
    "preset",
    "ablation",
    "seed",
    "precision",
    "versions",
    "data",
    "generator",
    "prepare",
    "networks",
    "backbone_pretraining",
    "correspondence",
    "clustering",
    "segmentation",
    "alternate",
    "inference",
    "evaluation",
    "collapse",
    "plan",
)


def main(args: argparse.Namespace) -> dict[str, Any]:
    """Write the page; its size for the record."""
    params = read_all_params(args.params)
    page = render_report(params, args.artifacts, args.logs, read_revision(Path.cwd()))
    with atomic_file(args.output) as partial:
        partial.write_text(page, encoding="utf-8")
    log.info("report: %s (%.1f MB)", args.output, len(page) / 1e6)
    return {"bytes": len(page.encode())}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--artifacts", type=Path, required=True, help="the folder that all stages write to")
    parser.add_argument(
        "--logs", type=Path, required=True, help="the folder with the stages' records of time and place"
    )
    parser.add_argument("--output", type=Path, required=True, help="the HTML file")
    args = parser.parse_args()
    run_stage(NAME, lambda: main(args))
