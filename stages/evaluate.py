"""Stage evaluate: one row of the results table on one evaluation set: masks of every frame, J and F."""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from maskvos.console import log, run_stage
from maskvos.datasets.sequences import Sequence, open_dataset, read_manifest
from maskvos.datasets.youtubevos import ground_truth_root
from maskvos.evaluation import Result, evaluate_dataset
from maskvos.evaluation.result import write_result
from maskvos.evaluation.statistics import FIGURES
from maskvos.inference.propagate import given_masks
from maskvos.inference.rows import Row, make_row
from maskvos.params import read_params
from maskvos.progress import track
from maskvos.storage.atomic import atomic_file, atomic_folder
from maskvos.storage.masks import write_mask
from maskvos.training.device import set_up_device

NAME = "evaluate"
PARAMETERS = ("seed", "precision", "networks", "inference", "versions.evaluate")


def main(args: argparse.Namespace) -> dict[str, Any]:
    """Write predictions, metrics and objects; frames and the rate for the record."""
    params = read_params(args.params, PARAMETERS)
    device = set_up_device(params.runtime)
    manifest = read_manifest(args.dataset)
    sequences = open_dataset(manifest, params.runtime.threads)
    row = make_row(args.row, params, args.weights, device, manifest["layout"])
    total = sum(len(sequence.frames) for sequence in sequences)
    log.info("%s: %s on %s, %d sequences, %d frames", NAME, args.row, args.dataset.stem, len(sequences), total)
    started = time.perf_counter()
    with atomic_folder(args.predictions) as folder:
        for _ in track(predict(sequences, row, folder), total, "frames"):
            pass
    seconds = time.perf_counter() - started
    score(manifest, sequences, args)
    rate = {"frames": total, "inference_seconds": round(seconds, 2), "fps": round(total / seconds, 2)}
    return {**rate, "fps_counts": "reading, inference and writing", "device": str(device)}


def predict(sequences: list[Sequence], row: Row, folder: Path) -> Iterator[str]:
    """Write FOLDER/SEQUENCE/FRAME.png for every frame; yields the frames as they are done."""
    for sequence in sequences:
        started = time.perf_counter()
        images = ((frame, sequence.image(frame)) for frame in sequence.frames)
        for frame, ids in row(images, given_masks(sequence)):
            write_mask(folder / sequence.name / f"{frame}.png", ids)
            yield frame
        rate = len(sequence.frames) / (time.perf_counter() - started)
        log.info("%s: %d frames, %.1f frames/s", sequence.name, len(sequence.frames), rate)


def score(manifest: dict[str, Any], sequences: list[Sequence], args: argparse.Namespace) -> None:
    """Write metrics and objects; without ground truth, metrics that say so and a table without rows."""
    if not has_ground_truth(manifest, sequences):
        log.info("%s: no ground truth beyond the first masks, nothing to score", args.dataset.stem)
        empty = {"protocol": "none: no ground truth beyond the first masks", "set": args.dataset.stem, "row": args.row}
        with atomic_file(args.metrics) as partial:
            partial.write_text(json.dumps({**empty, "global": {}, "sequences": {}, "objects": {}}, indent=1) + "\n")
        with atomic_file(args.objects) as partial:
            partial.write_text(",".join(("object", *FIGURES)) + "\n")
        return
    result: Result = evaluate_dataset(manifest, args.predictions)
    result = replace(result, set=args.dataset.stem, row=args.row)
    write_result(result, args.metrics, args.objects)
    log.info("%s: J&F %.4f", args.row, result.mean["J&F_mean"])


def has_ground_truth(manifest: dict[str, Any], sequences: list[Sequence]) -> bool:
    """Whether there is any annotation beside the given ones (test-dev and YouTube-VOS valid come without)."""
    if manifest["layout"] == "youtubevos" and ground_truth_root(Path(manifest["root"])) is not None:
        return True
    return any(set(item.annotated_frames) - set(item.first_frames.values()) for item in sequences)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--dataset", type=Path, required=True, help="manifest of an evaluation set")
    parser.add_argument("--row", required=True, help="copy, lab, untrained, backbone, correspondence, external or full")
    parser.add_argument("--weights", type=Path, help="folder or file of weights, for the rows that need one")
    parser.add_argument("--predictions", type=Path, required=True, help="folder for the masks")
    parser.add_argument("--metrics", type=Path, required=True, help="JSON")
    parser.add_argument("--objects", type=Path, required=True, help="CSV, one row an object")
    args = parser.parse_args()
    run_stage(f"{NAME}-{args.dataset.stem}-{args.row}", lambda: main(args))
