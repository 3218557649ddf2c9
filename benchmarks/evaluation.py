"""J and F of a set as large as DAVIS-2017 val by this evaluator and its peers, side by side.

    python -m benchmarks.evaluation FOLDER --official davis2017-evaluation --official-python PYTHON \\
        [--vos-benchmark vos-benchmark] [--runs 3] [--markdown TABLE.md] [--json TABLE.json]

Makes the generated set in FOLDER once (`evaluation_set.py`), checks that every figure of every object equals the
official one to 1e-6, then runs everything in turn, `--runs` times over; the quickest run of each counts. Wall times
mean something only on a machine that does nothing else. The official evaluator reuses results that it finds among the
predictions, so each run gets a folder of links of its own. `--official-python` needs what the peers need: numpy,
pandas, tqdm, Pillow, OpenCV, scipy and scikit-image.
"""

import argparse
import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks import process_cost
from benchmarks.evaluation_peers import Contestant, Figures, floor, official, official_figures, ours, vos_benchmark
from benchmarks.evaluation_set import make_set
from benchmarks.process_cost import Cost
from maskvos.console import processor

TOLERANCE = 1e-6


def link(predictions: Path, folder: Path) -> Path:
    """A folder of links to the sequences' folders, for what a tool leaves behind."""
    folder.mkdir()
    for sequence in sorted(predictions.iterdir()):
        (folder / sequence.name).symlink_to(sequence.resolve())
    return folder


def run(contestant: Contestant, root: Path, predictions: Path) -> Cost:
    """One run from scratch."""
    with tempfile.TemporaryDirectory() as scratch:
        linked, output = link(predictions, Path(scratch) / "predictions"), Path(scratch) / "metrics.json"
        return process_cost.run(contestant.command(root, linked, output), contestant.environment)


def our_figures(root: Path, predictions: Path) -> Figures:
    """Every figure of ours, as `maskvos evaluate` writes them."""
    contestant = ours(2)
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / "metrics.json"
        process_cost.run(contestant.command(root, predictions, output), contestant.environment)
        figures: Figures = json.loads(output.read_text())["objects"]
        return figures


def largest_difference(first: Figures, second: Figures) -> float:
    """Over all figures of all objects.

    Raises:
        ValueError: the objects or the names of the figures differ.
    """
    if {name: set(row) for name, row in first.items()} != {name: set(row) for name, row in second.items()}:
        raise ValueError(f"objects differ: {sorted(first)} and {sorted(second)}")
    return max(abs(first[name][figure] - second[name][figure]) for name in first for figure in first[name])


def measure(contestants: list[Contestant], runs: int, root: Path, predictions: Path) -> list[Cost]:
    """The quickest run of each; they take turns, so that a slow minute of the machine meets them all."""
    costs: list[list[Cost]] = [[] for _ in contestants]
    for _ in range(runs):
        for contestant, found in zip(contestants, costs, strict=True):
            found.append(run(contestant, root, predictions))
    return [min(found, key=lambda cost: cost.wall_s) for found in costs]


def tabulate(contestants: list[Contestant], costs: list[Cost], reference: Cost) -> list[dict[str, object]]:
    """A row a contestant: its cost, and how many times faster than the reference it is."""
    return [
        {
            "evaluator": contestant.name,
            "processes": contestant.processes,
            **{figure: round(value, 2) for figure, value in asdict(cost).items()},
            "speed_up": round(reference.wall_s / cost.wall_s, 2),
        }
        for contestant, cost in zip(contestants, costs, strict=True)
    ]


def to_markdown(rows: list[dict[str, object]], notes: list[str]) -> str:
    """The table, and below it a line for each note."""
    names = {
        "evaluator": "evaluator",
        "processes": "processes",
        "wall_s": "wall, s",
        "memory_mb": "peak memory, MB",
        "speed_up": "times as fast",
    }
    lines = [" | ".join(names.values()), " | ".join(["---"] + ["---:"] * (len(names) - 1))]
    lines += [" | ".join(str(row[name]) for name in names) for row in rows]
    return "".join(f"| {line} |\n" for line in lines) + "\n" + "".join(f"- {note}\n" for note in notes)


def main(args: argparse.Namespace) -> None:
    """Make the set, compare the figures, time everything, write the tables."""
    root, predictions = make_set(args.folder)
    with tempfile.TemporaryDirectory() as scratch:
        linked = link(predictions, Path(scratch) / "predictions")
        theirs = official_figures(args.official, args.official_python, root, linked)
    difference = largest_difference(our_figures(root, predictions), theirs)
    if difference > TOLERANCE:
        raise SystemExit(f"figures differ from the official ones by {difference:.2e}, allowed is {TOLERANCE}")
    contestants = [official(args.official, args.official_python)]
    if args.vos_benchmark:
        contestants += [vos_benchmark(args.vos_benchmark, args.official_python, count) for count in (1, 2)]
    contestants += [contestant(count) for contestant in (ours, floor) for count in (1, 2)]
    costs = measure(contestants, args.runs, root, predictions)
    rows = tabulate(contestants, costs, costs[0])
    notes = [
        f"{len(theirs)} objects; largest difference of any figure from the official one: {difference:.1e}",
        f"{processor()}, {len(os.sched_getaffinity(0))} cores, load before the first run {args.load:.1f}",
        f"best of {args.runs}; start-up counts; memory: of all processes together, what they share counted in each",
    ]
    table = to_markdown(rows, notes)
    print(table, end="")
    if args.markdown:
        args.markdown.write_text(table)
    if args.json:
        args.json.write_text(json.dumps({"rows": rows, "notes": notes}, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the generated set is kept")
    parser.add_argument("--official", type=Path, required=True, metavar="FOLDER", help="davis2017-evaluation")
    parser.add_argument("--official-python", required=True, metavar="PYTHON", help="an interpreter that can run it")
    parser.add_argument("--vos-benchmark", type=Path, metavar="FOLDER", help="vos-benchmark, by the same interpreter")
    parser.add_argument("--runs", type=int, default=3, help="the quickest counts; default: 3")
    parser.add_argument("--markdown", type=Path, help="file for the table")
    parser.add_argument("--json", type=Path, help="file for the same as JSON")
    arguments = parser.parse_args()
    arguments.load = os.getloadavg()[0]
    main(arguments)
