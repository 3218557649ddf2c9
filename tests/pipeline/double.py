"""A stand-in for every stage script: writes the outputs its command line names, at once.

What it writes depends on its inputs and on the parameters that the real script declares (the test puts that line at
the top of each copy), so that changes travel through the graph as they do for real.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

from maskvos.orchestration import fetch_parameters, tracked
from maskvos.storage.atomic import atomic_file

OUTPUTS = ("output", "curves", "statistics", "predictions", "metrics", "objects")
INPUTS = ("dataset", "frames", "weights", "pseudo_masks", "artifacts")


def digest(args, parameters):
    state = hashlib.sha256()
    import yaml

    if args.dataset and not Path(args.dataset).exists():  # fetch: the name of a dataset
        parameters = fetch_parameters(parameters, args.dataset)
    state.update(json.dumps(tracked(yaml.safe_load(Path(args.params).read_text()), parameters)).encode())
    for name in INPUTS:
        root = Path(getattr(args, name) or "/nonexistent")
        for path in sorted([root, *root.rglob("*")]):
            if path.is_file() and path.name != ".snakemake_timestamp" and "report" not in path.parts:
                state.update(path.read_bytes())
    return state.hexdigest()


def main(parameters):
    parser = argparse.ArgumentParser()
    for name in ("params", *OUTPUTS, *INPUTS, "checkpoints", "round", "row", "logs"):
        parser.add_argument("--" + name.replace("_", "-"))
    args = parser.parse_args()
    content = digest(args, parameters)
    for target in (Path(getattr(args, name)) for name in OUTPUTS if getattr(args, name)):
        with atomic_file(target if target.suffix else target / "part") as partial:
            partial.write_text(json.dumps({"step": 1, "loss": 0.5, "digest": content}))
    words = [Path(sys.argv[0]).stem, args.round, args.row]
    name = next((part for part in [args.dataset] if part and not Path(part).exists()), None)
    with Path("ran.txt").open("a") as lines:
        lines.write("-".join(word for word in [*words, name] if word) + "\n")
