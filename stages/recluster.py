"""Stage recluster: the pixels of every clip clustered over space and time into pseudo masks (Eq. 4)."""

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from maskvos.console import log, run_stage
from maskvos.errors import UserError
from maskvos.evaluation.best_overlap import clip_overlaps, find_annotations, summarise_overlaps
from maskvos.learning.agreement import adjusted_rand_index
from maskvos.learning.empty_clusters import judge_clustering
from maskvos.learning.kmeans_backends import open_backend
from maskvos.learning.pseudo_masks import PseudoMasks, clip_statistics, summarise
from maskvos.learning.reclustering import cluster_clips
from maskvos.networks.files import load_encoder
from maskvos.params import read_params
from maskvos.params.reading import StageParams
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
    settings = params.clustering.method
    store = FrameStore(args.frames)
    annotations = find_annotations(params.clustering.train_annotations_for_measuring_only, store.clips)
    previous = read_previous(args.previous_pseudo_masks or round_before(args.weights, args.output))
    log.info("%s: round %d, %d clips, %d frames", NAME, args.round, len(store.clips), len(store))

    masks, record = cluster(args, params, store)
    statistics = {
        name: clip_statistics(masks[name]) | compare(masks[name].labels, previous.get(name)) for name in masks
    }
    summary = summarise(statistics, settings.clusters)
    judge_clustering(statistics, params.collapse, settings.oversize)
    description = {"kind": "pseudo_masks", "round": args.round, "seed": params.seed, "frames": store.fingerprint}
    labels = {name: torch.from_numpy(masks[name].labels) for name in masks}
    save_weights(args.output, labels, description | {"clustering": settings.model_dump()})
    if annotations:  # opened only now that the pseudo masks are written: they can change statistics and nothing else
        measured = measure(masks, store, annotations)
        statistics = {name: statistics[name] | measured[name] for name in statistics}
        summary |= summarise_overlaps(measured)
    with atomic_file(args.statistics) as partial:
        partial.write_text(json.dumps({"round": args.round, "summary": summary, "clips": statistics}, indent=1) + "\n")
    log.info("%s: %s", NAME, ", ".join(f"{key} {value}" for key, value in summary.items()))
    return record


def cluster(
    args: argparse.Namespace, params: StageParams, store: FrameStore
) -> tuple[dict[str, PseudoMasks], dict[str, Any]]:
    """The pseudo masks of every clip by its name, and how they were made for the record."""
    device = set_up_device(params.runtime)
    precision = used_precision(device, params.precision)
    backend = open_backend(params.clustering.backend, device)
    encoder = place(load_encoder(args.weights, params.networks, params.seed), device).eval()
    key, threads = (params.seed, args.round), torch.get_num_threads()
    started = time.perf_counter()
    try:
        with autocast(device, precision):
            results = cluster_clips(store, encoder, params.clustering.method, backend, key, device, threads)
            masks = {clip.name: found for clip, found in track(results, len(store.clips), "clips")}
    except FloatingPointError as error:
        raise UserError(
            f"{args.weights}: {error}, the training of these weights diverged. Lower its learning rate and train again."
        ) from error
    return masks, {
        "clips": len(masks),
        "frames": len(store),
        "frames_per_second": round(len(store) / (time.perf_counter() - started), 2),
        "precision": precision,
        "backend": params.clustering.backend,
    }


def round_before(weights: Path, output: Path) -> Path | None:
    """The pseudo masks that these weights learned from, which lie beside them; None for those of correspondence.

    Never ``output`` itself: a run that was killed between its two files may have left it there.

    They are no input of their own in the graphs: whenever they change, so do the weights.
    """
    beside = weights.parent / "pseudo_masks.safetensors"
    return beside if beside.is_file() and beside.resolve() != output.resolve() else None


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


def measure(
    masks: Mapping[str, PseudoMasks], store: FrameStore, annotations: Mapping[str, Path]
) -> dict[str, dict[str, Any]]:
    """How well the pseudo masks of each clip meet its annotated objects; empty for a clip without annotation."""
    return {
        clip.name: clip_overlaps(masks[clip.name].labels, clip, annotations[clip.name])
        if clip.name in annotations
        else {}
        for clip in store.clips
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--round", type=int, required=True, help="0 for the first")
    parser.add_argument("--frames", type=Path, required=True, help="the frame store")
    parser.add_argument("--weights", type=Path, required=True, help="folder: correspondence's or the round before's")
    parser.add_argument("--output", type=Path, required=True, help="pseudo masks, a safetensors file")
    parser.add_argument("--statistics", type=Path, required=True, help="JSON with sizes and shares of the clusters")
    parser.add_argument("--previous-pseudo-masks", type=Path, help="default: those beside --weights")
    args = parser.parse_args()
    run_stage(f"{NAME}-{args.round}", lambda: main(args))
