"""Speed and memory of inference: `python -m benchmarks.inference matching|model|growth|memory|precision --help`.

matching   the matching step at 480x854 with 21 references, beside the usual dense implementation
model      one frame of the whole model, part by part, with the operations it takes and the rate they are done at
growth     one frame by number of objects, references and resolution
memory     a generated video of 5,000 frames: the process's memory as it goes on
precision  the masks of real frames in bf16 against fp32, from trained weights

Networks and protocol are a preset's (`--preset`, default paper_r18). Best of `--runs` after one that does not count;
times mean something only on a machine that does nothing else. Reading frames and writing masks are left out.
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks import inference_matching, inference_memory, inference_precision
from benchmarks.inference_model import FullTracker, build, synchronise, timed_parts
from maskvos.composition import compose
from maskvos.console import accelerator, processor
from maskvos.params.inference import Inference, Tracking
from maskvos.params.method import Networks
from maskvos.tables.markdown import markdown_table
from maskvos.tables.table import Cell, Line, Table
from maskvos.training.device import used_precision

SIZE = (480, 854)  # DAVIS
PARTS = ("E", "matching", "parts of cells", "readout", "V", "D")


def preset(name: str) -> tuple[Networks, Tracking]:
    """Networks and test protocol of a preset, at native size."""
    content = compose(Path(__file__).parent.parent, [f"preset={name}"] + ["data.train.path=."] * (name == "clips"))
    return Networks(**content["networks"]), Inference(**content["inference"]).at(None)


def best_time(function: Callable[[], object], runs: int, device: torch.device) -> float:
    """Seconds of the quickest of ``runs``, after one to warm up."""
    times = []
    for _ in range(runs + 1):
        began = time.perf_counter()
        function()
        synchronise(device)
        times.append(time.perf_counter() - began)
    return min(times[1:])


def matrix_rate(device: torch.device, runs: int, dtype: torch.dtype = torch.float32) -> float:
    """GFLOP/s of a large product: what the operations are held against."""
    one = torch.rand((2048, 2048), device=device, dtype=dtype)
    return 2e-9 * 2048**3 / best_time(lambda: one @ one, runs, device)


def show(columns: list[str], rows: list[list[str]]) -> None:
    """Print a Markdown table."""
    print(markdown_table(Table(columns, [Line(row[0], [Cell(text) for text in row[1:]]) for row in rows])) + "\n")


def matching(args: argparse.Namespace, device: torch.device) -> None:
    """The engine beside the dense implementation."""
    with torch.inference_mode():
        found = inference_matching.compare((60, 107), 128, 20, device, lambda f: best_time(f, args.runs, device))
        rate = matrix_rate(device, args.runs)
    floor, ratio = found["gflop"] / rate, found["dense"] / found["engine"]
    show(
        ["matching, 480x854, 21 references", "GFLOP", "seconds", "times as fast"],
        [
            ["dense, 256 queries at a time", f"{found['dense_gflop']:.0f}", f"{found['dense']:.3f}", "1.0"],
            ["this engine", f"{found['gflop']:.1f}", f"{found['engine']:.3f}", f"{ratio:.1f}"],
            [f"floor: its products at {rate:.0f} GFLOP/s", f"{found['gflop']:.1f}", f"{floor:.3f}", "–"],
        ],
    )
    print(f"Largest difference of a weight: {found['difference']:.1e}")


def model(args: argparse.Namespace, device: torch.device) -> None:
    """One frame in fp32 and, where the hardware has it, bf16."""
    networks, settings = preset(args.preset)
    network, rate, rows = build(networks, device), matrix_rate(device, args.runs), []
    for precision in ("fp32", "bf16"):
        if precision == "bf16" and used_precision(device, "auto") != "bf16":
            rows.append([precision, *["not measured: no bf16 instructions here"] + ["–"] * (len(PARTS) + 2)])
            continue
        tracker = FullTracker(network, settings, SIZE, args.objects, device, precision)
        seconds = best_time(tracker.step, args.runs, device)
        operations = tracker.operations()
        with timed_parts(tracker) as parts:
            tracker.step()
        shares = [f"{parts[name]:.3f}" for name in PARTS]
        rows.append([precision, f"{seconds:.3f}", f"{1 / seconds:.2f}", *shares, f"{operations:.0f}"])
    show(["precision", "s a frame", "frames/s", *PARTS, "GFLOP"], rows)
    print(f"fp32 matrix products run at {rate:.0f} GFLOP/s here.")


def growth(args: argparse.Namespace, device: torch.device) -> None:
    """One frame by objects, references and resolution, one of them changed at a time."""
    networks, settings = preset(args.preset)
    network, precision = build(networks, device), used_precision(device, "auto")
    cases: list[tuple[str, int, int, tuple[int, int]]] = [("as the protocol has it", 1, settings.references, SIZE)]
    cases += [(f"{count} objects", count, settings.references, SIZE) for count in (2, 5, 10)]
    cases += [(f"{count} references", 1, count, SIZE) for count in (5, 10, 40)]
    cases += [(f"{size[0]}x{size[1]}", 1, settings.references, size) for size in ((240, 427), (360, 640), (720, 1280))]
    rows, base = [], 0.0
    for name, objects, references, size in cases:
        chosen = settings.model_copy(update={"references": references})
        seconds = best_time(FullTracker(network, chosen, size, objects, device, precision).step, args.runs, device)
        base = base or seconds
        rows.append([name, f"{seconds:.3f}", f"{1 / seconds:.2f}", f"{seconds / base:.2f}"])
    show(
        [f"1 object, {settings.references} references, 480x854, but", "s a frame", "frames/s", "times the first"], rows
    )


def memory(args: argparse.Namespace, device: torch.device) -> None:
    """Memory along a long video."""
    networks, settings = preset(args.preset)
    rows = inference_memory.follow(build(networks, device), settings, args.frames, device)
    show(["frames done", "memory of the process, MB"], [[str(count), f"{used:.0f}"] for count, used in rows])


def precision(args: argparse.Namespace, device: torch.device) -> None:
    """Masks in bf16 against fp32."""
    rows = inference_precision.compare(args.weights, args.davis, args.frames, device)
    show(["sequence", "pixels that differ, %", "J of bf16 against fp32"], rows)


def main() -> None:
    """Run one of the benchmarks and say where."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands: dict[str, Any] = {
        "matching": matching,
        "model": model,
        "growth": growth,
        "memory": memory,
        "precision": precision,
    }
    parser.add_argument("what", choices=list(commands))
    parser.add_argument("--preset", default="paper_r18")
    parser.add_argument("--objects", type=int, default=1, help="of `model`; default: 1")
    parser.add_argument(
        "--frames", type=int, help="of `memory` (default: 5,000) and of each sequence of `precision` (30)"
    )
    parser.add_argument("--weights", type=Path, help="of `precision`: folder of a model")
    parser.add_argument("--davis", type=Path, help="of `precision`: a set in DAVIS layout")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0, help="default: all cores")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    args = parser.parse_args()
    args.frames = args.frames or {"memory": 5000, "precision": 30}.get(args.what)
    if args.what == "precision" and not (args.weights and args.davis):
        parser.error("precision needs --weights and --davis")
    torch.set_num_threads(args.threads or len(os.sched_getaffinity(0)))
    commands[args.what](args, torch.device(args.device))
    print(
        f"{processor()}, {torch.get_num_threads()} threads, accelerator: {accelerator()}, load {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
