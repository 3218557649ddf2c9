"""Stage `fetch`: bring one dataset to this machine and write down what it holds."""

import argparse
from pathlib import Path
from typing import Any

from maskvos.console import log, run_stage
from maskvos.datasets.manifest import write_manifest
from maskvos.datasets.obtain import obtain
from maskvos.params import read_params

PARAMETERS = ("data", "generator", "versions.fetch")


def parse() -> argparse.Namespace:
    """Command line of this stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--dataset", required=True, help="'train' or the name of an evaluation set of the parameters")
    parser.add_argument("--output", type=Path, required=True, help="the dataset manifest (JSON)")
    return parser.parse_args()


def main(args: argparse.Namespace) -> dict[str, Any]:
    """Generate, download or find the dataset; check its layout; write the manifest."""
    params = read_params(args.params, PARAMETERS)
    manifest = obtain(args.dataset, params.data, params.generator, params.runtime.threads)
    write_manifest(args.output, manifest)
    counts = {"sequences": len(manifest["sequences"]), "frames": manifest["frames"]}
    log.info("%s: %s in %s", args.dataset, counts, manifest["root"])
    return counts


if __name__ == "__main__":
    arguments = parse()
    run_stage(f"fetch-{arguments.dataset}", lambda: main(arguments))
