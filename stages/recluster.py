"""Stage recluster: the pixels of every clip clustered over space and time into pseudo masks (Eq. 4)."""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from maskvos.console import log, run_stage
from maskvos.errors import UserError
from maskvos.learning.agreement import adjusted_rand_index
from maskvos.learning.pseudo_masks import clip_statistics, summarise
from maskvos.learning.reclustering import cluster_clips
from maskvos.networks.files import load_encoder
from maskvos.params import read_params
from maskvos.progress import track
from maskvos.storage.atomic import atomic_file
from maskvos.storage.frames import FrameStore
from maskvos.storage.weights import load_weights, save_weights
from maskvos.training.device import autocast, place, set_up_device, used_precision

NAME = "recluster"
PARAMETERS = ("seed", "precision", "networks", "clustering", "versions.recluster")


def main(args: argparse.Namespace) -> dict[str, Any]:
    """Write pseudo masks and statistics; counts and the rate for the record."""
    params = read_params(args.params, PARAMETERS)
    device = set_up_device(params.runtime)
    precision = used_precision(device, params.precision)
    store = FrameStore(args.frames)
    encoder = place(load_encoder(args.weights, params.networks, params.seed), device).eval()
    previous = read_previous(args.previous_pseudo_masks)
    log.info("%s: round %d, %d clips, %d frames", NAME, args.round, len(store.clips), len(store))

    started = time.perf_counter()
    results = cluster_clips(
        store, encoder, params.clustering, (params.seed, args.round), device, torch.get_num_threads()
    )
    try:
        with autocast(device, precision):
            masks = {clip.name: found for clip, found in track(results, len(store.clips), "clips")}
    except FloatingPointError as error:
        raise UserError(
            f"{args.weights}: {error}, the training of these weights diverged. Lower its learning rate and train again."
        ) from error
    rate = len(store) / (time.perf_counter() - started)

    statistics = {
        name: clip_statistics(masks[name]) | compare(masks[name].labels, previous.get(name)) for name in masks
    }
    summary = summarise(statistics, params.clustering.clusters)
    if summary["clips_with_nothing_left"] == summary["clips"]:
        raise UserError(
            f"clustering.oversize {params.clustering.oversize}: every cluster of every clip is larger than that, no "
            "pseudo mask is left. Raise it, or look at the weights: their features may be the same everywhere."
        )
    description = {"kind": "pseudo_masks", "round": args.round, "seed": params.seed, "frames": store.fingerprint}
    labels = {name: torch.from_numpy(masks[name].labels) for name in masks}
    save_weights(args.output, labels, description | {"clustering": params.clustering.model_dump()})
    with atomic_file(args.statistics) as partial:
        partial.write_text(json.dumps({"round": args.round, "summary": summary, "clips": statistics}, indent=1) + "\n")
    log.info("%s: %s", NAME, ", ".join(f"{key} {value}" for key, value in summary.items()))
    return {"clips": len(masks), "frames": len(store), "frames_per_second": round(rate, 2), "precision": precision}


def read_previous(path: Path | None) -> dict[str, torch.Tensor]:
    """The label maps of the round before, by clip; none where no file is given."""
    if path is None:
        return {}
    tensors, description = load_weights(path)
    if description.get("kind") != "pseudo_masks":
        raise UserError(f"{path}: holds {description.get('kind')!r}, expected the pseudo masks of another round.")
    return tensors


def compare(labels: np.ndarray, previous: torch.Tensor | None) -> dict[str, float]:
    """Agreement with the round before, where that has this clip on the same grid."""
    if previous is None or previous.shape != labels.shape:
        return {}
    return {"agreement": round(adjusted_rand_index(labels, previous.numpy()), 6)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--round", type=int, required=True, help="0 for the first")
    parser.add_argument("--frames", type=Path, required=True, help="the frame store")
    parser.add_argument("--weights", type=Path, required=True, help="folder: correspondence's or the round before's")
    parser.add_argument("--output", type=Path, required=True, help="pseudo masks, a safetensors file")
    parser.add_argument("--statistics", type=Path, required=True, help="JSON with sizes and shares of the clusters")
    parser.add_argument("--previous-pseudo-masks", type=Path, help="another round's file to compare with")
    args = parser.parse_args()
    run_stage(f"{NAME}-{args.round}", lambda: main(args))
