"""The study of what the paper leaves open, as DVC experiments: queue them, and tabulate what came out.

    python benchmarks/study.py queue --set data.train.path=FOLDER --whole FOLDER FOLDER --first FOLDER FOLDER [NAME ...]
    PYTHONPATH=. dvc queue start --jobs 2
    python benchmarks/study.py table [NAME ...]

`study.yaml` beside this file lists the experiments. Two sets in DAVIS layout measure them (`davis`, `multi`); --first
names their first frames (benchmarks/first_frames.py). Two jobs of one thread each do a quarter more work here than one
job of two: add --set runtime.threads=1. Experiments that share a stage's settings share its artifacts, by DVC's run
cache: queue those that others begin with first.
"""

import argparse
import json
import subprocess
from pathlib import Path
from typing import Any

import yaml

STUDY = Path(__file__).with_suffix(".yaml")
SETS = ("davis", "multi")


def queue_command(name: str, experiment: dict[str, Any], base: list[str], folders: dict[str, list[str]]) -> list[str]:
    """The `dvc exp run --queue` of one experiment."""
    row = experiment["row"]
    sets = [f"data.evaluation.{key}.path={path}" for key, path in zip(SETS, folders[experiment["sets"]], strict=True)]
    settings = [*base, *sets, f"evaluation.rows=[{row}]", *experiment["settings"]]
    command = ["dvc", "exp", "run", "--queue", "--name", name]
    command += [part for setting in settings for part in ("--set-param", setting)]
    return [*command, *(f"evaluate_model@{key}-{row}" for key in SETS)]


def queue(args: argparse.Namespace, study: dict[str, Any]) -> None:
    """Queue the named experiments, all of them without a name."""
    folders = {"whole": args.whole, "first": args.first}
    for name in args.names or study["experiments"]:
        command = queue_command(name, study["experiments"][name], [*study["base"], *args.set], folders)
        subprocess.run(command, check=True)


def finished() -> dict[str, dict[str, Any]]:
    """Experiment -> contents of its metrics files, by path."""
    shown = subprocess.run(["dvc", "exp", "show", "--all-commits", "--json"], check=True, capture_output=True).stdout
    found = {}
    for commit in json.loads(shown):
        for experiment in commit.get("experiments") or []:
            state = experiment["revs"][0]
            metrics = (state["data"] or {}).get("metrics") or {}
            found[state["name"]] = {path: entry["data"] for path, entry in metrics.items() if entry.get("data")}
    return found


def figures(metrics: dict[str, dict[str, Any]], row: str, keys: tuple[str, ...]) -> tuple[float, float] | None:
    """Mean J and F in percent over the objects of these sets; None where one of them is not measured."""
    objects: list[dict[str, float]] = []
    for key in keys:
        content = metrics.get(f"artifacts/evaluation/{key}/{row}/metrics.json")
        if content is None:
            return None
        objects += content["objects"].values()
    means = [100 * sum(item[figure] for item in objects) / len(objects) for figure in ("J_mean", "F_mean")]
    return means[0], means[1]


def table(args: argparse.Namespace, study: dict[str, Any]) -> None:
    """Print the experiments that are done, as Markdown: J / F / J&F over all objects, J&F of each set."""
    done = finished()
    print("| experiment | settings | all 23 objects: J / F / J&F | davis J&F | multi J&F |\n|---|---|---:|---:|---:|")
    for name in args.names or study["experiments"]:
        experiment = study["experiments"][name]
        found = [figures(done.get(name, {}), experiment["row"], keys) for keys in (SETS, SETS[:1], SETS[1:])]
        if found[0] is None:
            continue
        means = [f"{(pair[0] + pair[1]) / 2:.1f}" for pair in found if pair]
        settings = " ".join(f"`{setting}`" for setting in experiment["settings"]) or "–"
        cells = (name, settings, f"{found[0][0]:.1f} / {found[0][1]:.1f} / {means[0]}", *means[1:])
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["queue", "table"])
    parser.add_argument("names", nargs="*", metavar="NAME", help="of experiments in study.yaml; default: all")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="for every experiment")
    parser.add_argument("--whole", nargs=2, metavar="FOLDER", help="davis and multi, whole sequences")
    parser.add_argument("--first", nargs=2, metavar="FOLDER", help="davis and multi, first frames")
    arguments = parser.parse_intermixed_args()  # names may follow the options
    content = yaml.safe_load(STUDY.read_text())
    unknown = sorted(set(arguments.names) - set(content["experiments"]))
    if unknown:
        parser.error(f"{STUDY.name} has no experiment {', '.join(unknown)}")
    if arguments.what == "queue" and not (arguments.whole and arguments.first):
        parser.error("queue needs --whole and --first")
    (queue if arguments.what == "queue" else table)(arguments, content)
