"""Speed of training: `python -m benchmarks.training loader|stages --frames STORE`.

loader  samples a second of each stage's loader and of a plain PIL and torchvision loader with as many processes
stages  steps of each stage: samples a second on data at rest and with the loader, the share of time that the loop waits
        for data, achieved operations against the measured rate of matrix products, peak memory, and the hours that the
        preset's whole training takes at that speed

STORE is a frame store that the stage `prepare` wrote. Networks, batches and counts are a preset's (`--preset`, default
paper_r18); `--batch` changes the batch where a machine cannot hold the preset's. Both loaders take turns, the best of
`--runs` counts; times mean something only on a machine that does nothing else.
"""

import argparse
import os
from pathlib import Path

import torch

from benchmarks import training_loader, training_steps
from benchmarks.inference import matrix_rate, show
from maskvos.composition import compose
from maskvos.console import accelerator, processor
from maskvos.params.method import Runtime
from maskvos.storage.frames import FrameStore
from maskvos.training.device import set_up_device, used_precision


def loader(args: argparse.Namespace, content: dict) -> None:
    """Ours beside the plain one."""
    store = FrameStore(args.frames)
    rows = training_loader.compare(store, content, args.workers, args.samples, args.runs)
    show([f"samples a second, {args.workers} processes", "plain", "ours", "times as fast"], rows)


def stages(args: argparse.Namespace, content: dict) -> None:
    """Steps of every stage, as the loop makes them."""
    device = set_up_device(Runtime.alone(args.device, args.threads, args.workers))
    precision = used_precision(device, "auto")
    rate = matrix_rate(device, args.runs, torch.bfloat16 if precision == "bf16" else torch.float32)
    store, rows = FrameStore(args.frames), []
    for name in training_steps.STAGES:
        measured = training_steps.measure(name, store, content, args.batch, args.steps, args.workers, device, precision)
        rows.append([name, *training_steps.cells(measured, rate, content, name)])
    columns = [
        "stage",
        "batch",
        "samples/s, data at rest",
        "with the loader",
        "waiting, %",
        "GFLOP/s",
        "of products, %",
    ]
    show([*columns, "peak memory, MB", "samples in all, million", "hours in all"], rows)
    print(f"Convolutions in {precision}; matrix products run at {rate:.0f} GFLOP/s here.")
    print(training_steps.FORMULA)


def main() -> None:
    """Run one of the benchmarks and say where."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("loader", "stages"))
    parser.add_argument("--frames", type=Path, required=True, help="folder of a frame store")
    parser.add_argument("--preset", default="paper_r18")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)), help="default: one a core")
    parser.add_argument("--samples", type=int, default=512, help="of a turn of `loader`; blocks serve again after 100")
    parser.add_argument("--batch", type=int, default=0, help="of `stages`; default: the preset's")
    parser.add_argument("--steps", type=int, default=5, help="of `stages`, after one that does not count")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="default: all cores")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    args = parser.parse_args()
    content = compose(Path(__file__).parent.parent, [f"preset={args.preset}", "data.train.path=."])
    {"loader": loader, "stages": stages}[args.what](args, content)
    print(f"{processor()}, accelerator: {accelerator()}, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
