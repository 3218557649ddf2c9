"""Stage evaluate: one row of the results table on one evaluation set: masks of every frame, J and F."""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from maskvos.console import log, run_stage
from maskvos.datasets.sequences import Sequence, open_dataset, read_manifest
from maskvos.datasets.youtubevos import ground_truth_root
from maskvos.evaluation import Result, evaluate_dataset
from maskvos.evaluation.result import write_result
from maskvos.evaluation.statistics import FIGURES
from maskvos.inference.propagate import given_masks
from maskvos.inference.rows import Row, make_row
from maskvos.params import read_params
from maskvos.params.reading import StageParams
from maskvos.progress import track
from maskvos.storage.atomic import atomic_file, atomic_folder
from maskvos.storage.descriptions import weights_file
from maskvos.storage.fingerprints import file_fingerprint
from maskvos.storage.finished import Finished, copy_files
from maskvos.storage.masks import write_mask
from maskvos.storage.working_state import fingerprint
from maskvos.training.device import set_up_device, used_precision

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
    finished = Finished(args.checkpoints, run_fingerprint(args, params, manifest, device))
    started = time.perf_counter()
    with atomic_folder(args.predictions) as folder:
        left = [item for item in sequences if not restore(item, folder, finished)]
        before = total - sum(len(sequence.frames) for sequence in left)
        if before:
            log.info("going on from %s: %d sequences are done", args.checkpoints, len(sequences) - len(left))
        for _ in track(predict(left, row, folder, finished), total, "frames", done=before):
            pass
    seconds = time.perf_counter() - started
    score(manifest, sequences, args)
    finished.clear()
    rate = {"frames": total, "frames_of_an_earlier_run": before, "inference_seconds": round(seconds, 2)}
    rate |= {"fps": round((total - before) / seconds, 2)} if left else {}
    return {**rate, "fps_counts": "reading, inference and writing", "device": str(device)}


def run_fingerprint(
    args: argparse.Namespace, params: StageParams, manifest: dict[str, Any], device: torch.device
) -> str:
    """What the predictions depend on, so that sequences of another run are never mixed in."""
    weights = file_fingerprint(weights_file(args.weights)) if args.weights else ""
    return fingerprint(
        stage=NAME,
        version=params.versions[NAME],
        row=args.row,
        parameters=[params.seed, params.networks.model_dump(), params.inference.model_dump()],
        device=[device.type, used_precision(device, params.precision)],
        inputs=[manifest["layout"], manifest["fingerprint"], weights],
    )


def restore(sequence: Sequence, folder: Path, finished: Finished) -> bool:
    """Whether an earlier run had finished this sequence, whose masks are then in the folder."""
    return finished.restore(sequence.name, partial(copy_files, target=folder / sequence.name)) is not None


def predict(sequences: list[Sequence], row: Row, folder: Path, finished: Finished) -> Iterator[str]:
    """Write FOLDER/SEQUENCE/FRAME.png for every frame; yields the frames as they are done."""
    for sequence in sequences:
        started = time.perf_counter()
        images = ((frame, sequence.image(frame)) for frame in sequence.frames)
        for frame, ids in row(images, given_masks(sequence)):
            write_mask(folder / sequence.name / f"{frame}.png", ids)
            yield frame
        finished.keep(sequence.name, partial(copy_files, folder / sequence.name))
        rate = len(sequence.frames) / (time.perf_counter() - started)
        log.info("%s: %d frames, %.1f frames/s", sequence.name, len(sequence.frames), rate)


def score(manifest: dict[str, Any], sequences: list[Sequence], args: argparse.Namespace) -> None:
    """Write metrics and objects; without ground truth, metrics that say so and a table without rows."""
    if not has_ground_truth(manifest, sequences):
        log.info("%s: no ground truth beyond the first masks, nothing to score", args.dataset.stem)
        empty = {"protocol": "none: no ground truth beyond the first masks", "set": args.dataset.stem, "row": args.row}
        with atomic_file(args.metrics) as file:
            file.write_text(json.dumps({**empty, "global": {}, "sequences": {}, "objects": {}}, indent=1) + "\n")
        with atomic_file(args.objects) as file:
            file.write_text(",".join(("object", *FIGURES)) + "\n")
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
    parser.add_argument("--checkpoints", type=Path, help="folder for finished sequences (default: none are kept)")
    args = parser.parse_args()
    run_stage(f"{NAME}-{args.dataset.stem}-{args.row}", lambda: main(args))
