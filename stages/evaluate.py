"""Stage evaluate: one row of the results table on one evaluation set: masks of every frame, J and F."""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from maskvos.console import log, run_stage
from maskvos.datasets.sequences import Sequence, open_dataset, read_manifest
from maskvos.evaluation.row_scores import score_predictions
from maskvos.inference.finished_sequences import keep_sequence, restore_sequence
from maskvos.inference.propagate import given_masks
from maskvos.inference.rows import Row, make_row
from maskvos.memory import stage_memory_explained
from maskvos.params import read_params
from maskvos.params.reading import StageParams
from maskvos.progress import track
from maskvos.storage.atomic import atomic_folder
from maskvos.storage.descriptions import weights_file
from maskvos.storage.fingerprints import file_fingerprint
from maskvos.storage.finished import Finished
from maskvos.storage.masks import write_mask
from maskvos.storage.working_state import fingerprint
from maskvos.training.device import set_up_device, used_precision

NAME = "evaluate"
PARAMETERS = ("seed", "precision", "networks", "inference", "versions.evaluate")
LESS_MEMORY = (
    "Free memory, and the same command goes on; or lower inference.short_side or inference.references, which changes "
    "the result."
)


def main(args: argparse.Namespace) -> dict[str, Any]:
    """Write predictions, metrics and objects; frames and the rate for the record."""
    params = read_params(args.params, PARAMETERS)
    device = set_up_device(params.runtime)
    manifest = read_manifest(args.dataset)
    sequences = open_dataset(manifest, params.runtime.threads)
    row = make_row(args.row, params, args.weights, device, manifest["layout"])
    total = sum(len(sequence.frames) for sequence in sequences)
    log.info("%s: %s on %s, %d sequences, %d frames", NAME, args.row, args.dataset.stem, len(sequences), total)
    known = manifest.get("fingerprint")  # without it nothing tells one set from another
    finished = Finished(args.checkpoints if known else None, run_fingerprint(args, params, manifest, device))
    with atomic_folder(args.predictions) as folder:
        left = [sequence for sequence in sequences if not restore_sequence(sequence, folder, finished)]
        before = total - sum(len(sequence.frames) for sequence in left)
        if before:
            log.info("going on from %s: %d sequences are done", finished.folder, len(sequences) - len(left))
        started = time.perf_counter()
        with stage_memory_explained(NAME, LESS_MEMORY):
            for _ in track(predict(left, row, folder, finished), total, "frames", done=before):
                pass
        seconds = time.perf_counter() - started
    score_predictions(manifest, sequences, args.predictions, (args.dataset.stem, args.row), args.metrics, args.objects)
    finished.clear()
    resumed = {"frames_of_an_earlier_run": before} if before else {}
    rate = {"inference_seconds": round(seconds, 2), "fps": round((total - before) / seconds, 2)} if left else {}
    return {"frames": total, **resumed, **rate, "fps_counts": "reading, inference and writing", "device": str(device)}


def run_fingerprint(
    args: argparse.Namespace, params: StageParams, manifest: dict[str, Any], device: torch.device
) -> str:
    """What the predictions depend on beside the given masks, so that sequences of another run are never mixed in."""
    weights = file_fingerprint(weights_file(args.weights)) if args.weights else ""
    return fingerprint(
        stage=NAME,
        version=params.versions[NAME],
        row=args.row,
        parameters=[params.seed, params.networks.model_dump(), params.inference.model_dump()],
        device=[device.type, used_precision(device, params.precision)],
        inputs=[manifest["layout"], manifest.get("fingerprint"), weights],
    )


def predict(sequences: list[Sequence], row: Row, folder: Path, finished: Finished) -> Iterator[str]:
    """Write FOLDER/SEQUENCE/FRAME.png for every frame; yields the frames as they are done."""
    for sequence in sequences:
        started = time.perf_counter()
        images = ((frame, sequence.image(frame)) for frame in sequence.frames)
        for frame, ids in row(images, given_masks(sequence)):
            write_mask(folder / sequence.name / f"{frame}.png", ids)
            yield frame
        rate = len(sequence.frames) / (time.perf_counter() - started)
        log.info("%s: %d frames, %.1f frames/s", sequence.name, len(sequence.frames), rate)
        keep_sequence(sequence, folder, finished)


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
