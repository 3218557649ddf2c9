"""Queue lists of experiments on real clips as DVC experiments.

    python benchmarks/study.py LIST --set data.train.path=FOLDER --whole FOLDER FOLDER --first FOLDER FOLDER [NAME ...]
    PYTHONPATH=. dvc queue start --jobs 2
    maskvos table --experiments [NAME ...]

LIST is `study`, what the paper leaves open (docs/study.md), or `results`, the rows of docs/results.md; `LIST.yaml`
beside this file says what they are. Two sets in DAVIS layout measure them (`davis`, `multi`); --first names their
first frames (benchmarks/first_frames.py). Two jobs of one thread each do a quarter more work here than one job of two:
add --set runtime.threads=1. Experiments that share a stage's settings share its artifacts, by DVC's run cache: queue
those that others begin with first.
"""

import argparse
import subprocess
from pathlib import Path
from typing import Any

import yaml

from maskvos.inference.rows import WITH_WEIGHTS

LISTS = {name: Path(__file__).with_name(f"{name}.yaml") for name in ("study", "results")}
SETS = ("davis", "multi")


def queue_command(name: str, experiment: dict[str, Any], base: list[str], folders: dict[str, list[str]]) -> list[str]:
    """The `dvc exp run --queue` of one experiment."""
    row = experiment["row"]
    sets = [f"data.evaluation.{key}.path={path}" for key, path in zip(SETS, folders[experiment["sets"]], strict=True)]
    settings = [*base, *sets, f"evaluation.rows=[{row}]", *experiment["settings"]]
    command = ["dvc", "exp", "run", "--queue", "--name", name]
    command += [part for setting in settings for part in ("--set-param", setting)]
    stage = "evaluate_model" if row in WITH_WEIGHTS else "evaluate_baseline"
    return [*command, *(f"{stage}@{key}-{row}" for key in SETS)]


def queue(args: argparse.Namespace, content: dict[str, Any]) -> None:
    """Queue the named experiments, all of them without a name."""
    names = args.names or list(content["experiments"])
    folders = {"whole": args.whole, "first": args.first}
    lacking = [name for name in names if folders[content["experiments"][name]["sets"]] is None]
    if lacking:
        raise SystemExit(f"--first is needed by {', '.join(lacking)}: their figures are those of first frames")
    for name in names:
        command = queue_command(name, content["experiments"][name], [*content["base"], *args.set], folders)
        subprocess.run(command, check=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("list", choices=LISTS)
    parser.add_argument("names", nargs="*", metavar="NAME", help="of experiments in the list; default: all")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="for every experiment")
    parser.add_argument("--whole", nargs=2, metavar="FOLDER", required=True, help="davis and multi, whole sequences")
    parser.add_argument("--first", nargs=2, metavar="FOLDER", help="davis and multi, first frames")
    arguments = parser.parse_intermixed_args()  # names may follow the options
    content = yaml.safe_load(LISTS[arguments.list].read_text())
    unknown = sorted(set(arguments.names) - set(content["experiments"]))
    if unknown:
        parser.error(f"{LISTS[arguments.list].name} has no experiment {', '.join(unknown)}")
    queue(arguments, content)
