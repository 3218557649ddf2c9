"""The evaluators that `evaluation.py` compares, each as a command line; the peers' code stays where the user has it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Figures = dict[str, dict[str, float]]
"""Object (``SEQUENCE_ID``) -> J_mean, J_recall, J_decay, F_mean, F_recall, F_decay."""

ROOT = Path(__file__).resolve().parent.parent

# The official command prints three decimals; its own class gives them all.
OFFICIAL_FIGURES = """
import json, sys
sys.path.insert(0, sys.argv[1])
from davis2017.evaluation import DAVISEvaluation
found = DAVISEvaluation(davis_root=sys.argv[2], task="semi-supervised", gt_set="val").evaluate(sys.argv[3])
names = {"M": "mean", "R": "recall", "D": "decay"}
print(json.dumps({
    name: {f"{m}_{names[s]}": float(found[m][s][place]) for m in "JF" for s in "MRD"}
    for place, name in enumerate(found["J"]["M_per_object"])
}))
"""


@dataclass(frozen=True)
class Contestant:
    """``command`` takes (root, predictions, output) to a command line; each run has its own predictions."""

    name: str
    processes: int
    command: Callable[[Path, Path, Path], list[str]]
    environment: dict[str, str]


def official(folder: Path, python: str) -> Contestant:
    """davisvideochallenge/davis2017-evaluation, on its own command line."""
    return Contestant(
        "official (davis2017-evaluation)",
        1,
        lambda root, predictions, _: [
            *(python, str(folder / "evaluation_method.py"), "--task", "semi-supervised", "--set", "val"),
            *("--davis_path", str(root), "--results_path", str(predictions)),
        ],
        {},
    )


def vos_benchmark(folder: Path, python: str, processes: int) -> Contestant:
    """hkchengrex/vos-benchmark, on its own command line."""
    return Contestant(
        "vos-benchmark",
        processes,
        lambda root, predictions, _: [
            *(python, str(folder / "benchmark.py"), "--num_processes", str(processes)),
            *("--gt", str(root / "Annotations" / "480p"), "--mask", str(predictions)),
        ],
        {},
    )


def ours(processes: int) -> Contestant:
    """`maskvos evaluate davis` of this checkout."""
    return Contestant(
        "maskvos evaluate",
        processes,
        lambda root, predictions, output: [
            *(sys.executable, "-m", "maskvos.cli", "evaluate", "davis", "--processes", str(processes)),
            *("--ground-truth", str(root), "--predictions", str(predictions), "--output", str(output)),
        ],
        {"PYTHONPATH": str(ROOT)},
    )


def floor(processes: int) -> Contestant:
    """Nothing but decoding every PNG of both sets, with our decoder."""
    return Contestant(
        "floor: decoding both sets",
        processes,
        lambda root, predictions, _: [
            *(sys.executable, "-m", "benchmarks.evaluation_floor", str(processes)),
            *(str(root / "Annotations" / "480p"), str(predictions)),
        ],
        {"PYTHONPATH": str(ROOT)},
    )


def official_figures(folder: Path, python: str, root: Path, predictions: Path) -> Figures:
    """Every figure of the official evaluator in full precision."""
    command = [python, "-c", OFFICIAL_FIGURES, *map(str, (folder, root, predictions))]
    found = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ)
    figures: Figures = json.loads(found.stdout.splitlines()[-1])
    return figures
