"""Stage recluster: the pixels of every clip clustered over space and time into pseudo masks (Eq. 4)."""

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from maskvos.console import log, run_stage
from maskvos.errors import UserError
from maskvos.evaluation.best_overlap import clip_overlaps, find_annotations, summarise_overlaps
from maskvos.learning.clip_files import from_files, to_files
from maskvos.learning.empty_clusters import judge_clustering
from maskvos.learning.kmeans_backends import open_backend
from maskvos.learning.pseudo_mask_files import KIND
from maskvos.learning.pseudo_masks import PseudoMasks, clip_statistics, summarise
from maskvos.learning.reclustering import cluster_clips
from maskvos.learning.round_before import compare, read_previous, round_before
from maskvos.memory import stage_memory_explained
from maskvos.networks.encoder import VisualEncoder
from maskvos.networks.files import load_encoder
from maskvos.params import read_params
from maskvos.params.reading import StageParams
from maskvos.progress import track
from maskvos.storage.atomic import atomic_file
from maskvos.storage.descriptions import weights_file
from maskvos.storage.fingerprints import file_fingerprint
from maskvos.storage.finished import Finished
from maskvos.storage.frames import FrameStore
from maskvos.storage.weights import save_weights
from maskvos.storage.working_state import fingerprint
from maskvos.training.device import autocast, place, set_up_device, used_precision

NAME = "recluster"
PARAMETERS = ("seed", "precision", "networks", "clustering", "versions.recluster")
LESS_MEMORY = (
    "Free memory, on a CPU lower runtime.threads, and the same command goes on; or lower clustering.short_side, which "
    "changes the result."
)


def main(args: argparse.Namespace) -> dict[str, Any]:
    """Write pseudo masks and statistics; counts and the rate for the record."""
    params = read_params(args.params, PARAMETERS)
    settings = params.clustering.method
    store = FrameStore(args.frames)
    annotations = find_annotations(params.clustering.train_annotations_for_measuring_only, store.clips)
    previous = read_previous(args.previous_pseudo_masks or round_before(args.weights, args.output))
    log.info("%s: round %d, %d clips, %d frames", NAME, args.round, len(store.clips), len(store))

    device = set_up_device(params.runtime)
    encoder = place(load_encoder(args.weights, params.networks, params.seed), device).eval()
    finished = Finished(args.checkpoints, run_fingerprint(args, params, store, device))
    masks, record = cluster(args, params, store, encoder, device, finished)
    statistics = {
        name: clip_statistics(masks[name]) | compare(masks[name].labels, previous.get(name)) for name in masks
    }
    summary = summarise(statistics, settings.clusters)
    judge_clustering(statistics, params.collapse, settings.oversize)
    description = {"kind": KIND, "round": args.round, "seed": params.seed, "frames": store.fingerprint}
    labels = {name: torch.from_numpy(masks[name].labels) for name in masks}
    save_weights(args.output, labels, description | {"clustering": settings.model_dump()})
    if annotations:  # opened only now that the pseudo masks are written: they can change statistics and nothing else
        measured = measure(masks, store, annotations)
        statistics = {name: statistics[name] | measured[name] for name in statistics}
        summary |= summarise_overlaps(measured)
    with atomic_file(args.statistics) as partial:
        partial.write_text(json.dumps({"round": args.round, "summary": summary, "clips": statistics}, indent=1) + "\n")
    finished.clear()
    log.info("%s: %s", NAME, ", ".join(f"{key} {value}" for key, value in summary.items()))
    return record


def cluster(
    args: argparse.Namespace,
    params: StageParams,
    store: FrameStore,
    encoder: VisualEncoder,
    device: torch.device,
    finished: Finished,
) -> tuple[dict[str, PseudoMasks], dict[str, Any]]:
    """The pseudo masks of every clip by its name, and how they were made for the record."""
    precision = used_precision(device, params.precision)
    backend = open_backend(params.clustering.backend, device)
    key, threads = (params.seed, args.round), torch.get_num_threads()
    masks = {clip.name: from_files(kept) for clip in store.clips if (kept := finished.restore(clip.name))}
    left = [clip for clip in store.clips if clip.name not in masks]
    if masks:
        log.info("going on from %s: %d clips are done", finished.folder, len(masks))
    started = time.perf_counter()
    try:
        with autocast(device, precision), stage_memory_explained(NAME, LESS_MEMORY):
            results = cluster_clips(store, left, encoder, params.clustering.method, backend, key, device, threads)
            for clip, found in track(results, len(store.clips), "clips", done=len(masks)):
                finished.keep(clip.name, to_files(found))
                masks[clip.name] = found
    except FloatingPointError as error:
        raise UserError(
            f"{args.weights}: {error}, the training of these weights diverged. Lower its learning rate and train again."
        ) from error
    frames = sum(len(clip.frames) for clip in left)
    rate = {"frames_per_second": round(frames / (time.perf_counter() - started), 2)} if left else {}
    return {clip.name: masks[clip.name] for clip in store.clips}, {
        "clips": len(masks),
        **({"clips_of_an_earlier_run": len(masks) - len(left)} if len(left) < len(masks) else {}),
        "frames": len(store),
        **rate,
        "precision": precision,
        "backend": params.clustering.backend,
    }


def run_fingerprint(args: argparse.Namespace, params: StageParams, store: FrameStore, device: torch.device) -> str:
    """What the pseudo masks depend on, so that clips of another run are never mixed in."""
    return fingerprint(
        stage=NAME,
        version=params.versions[NAME],
        round=args.round,
        parameters=[params.seed, params.networks.model_dump(), params.clustering.method.model_dump()],
        computed=[params.clustering.backend, device.type, used_precision(device, params.precision)],
        inputs=[store.fingerprint, file_fingerprint(weights_file(args.weights))],
    )


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
    parser.add_argument("--checkpoints", type=Path, help="folder for finished clips (default: none are kept)")
    args = parser.parse_args()
    run_stage(f"{NAME}-{args.round}", lambda: main(args))
