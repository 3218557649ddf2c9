"""Stage prepare: every training frame decoded once, made smaller and packed into the frame store."""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from maskvos.console import log, run_stage
from maskvos.datasets.clip_encoding import UNDECODABLE
from maskvos.datasets.frame_images import encoded_suffix
from maskvos.datasets.frame_preparation import encode_clips
from maskvos.datasets.sequences import open_dataset, read_manifest
from maskvos.errors import UserError
from maskvos.params import read_params
from maskvos.progress import track
from maskvos.storage.atomic import atomic_folder
from maskvos.storage.frame_writer import EncodedClip, write_store

NAME = "prepare"
PARAMETERS = ("prepare", "versions.prepare")


def main(args: argparse.Namespace) -> dict[str, Any]:
    """Write the frame store; counts for the record."""
    params = read_params(args.params, PARAMETERS)
    manifest = read_manifest(args.dataset)
    sequences = open_dataset(manifest, params.runtime.threads)
    log.info("prepare: %d clips of '%s'", len(sequences), manifest.get("name", ""))
    facts = {
        "dataset": {key: manifest.get(key, "") for key in ("name", "split", "fingerprint")},
        "short_side": params.prepare.short_side,
        "quality": params.prepare.quality,
    }
    clips = encode_clips(track(sequences, len(sequences), "clips"), params.prepare, params.runtime.workers)
    with atomic_folder(args.output) as folder:
        suffix = encoded_suffix(params.prepare.quality)
        index = write_store(folder, _stop_if_strict(clips, params.prepare.strict), suffix, facts)
        if not index["clips"]:
            raise UserError(f"{args.dataset}: no clip has enough usable frames; {_first_reasons(index)}.")
    return _report(index, params.prepare.short_side)


def _stop_if_strict(clips: Iterable[EncodedClip], strict: bool) -> Iterator[EncodedClip]:
    for clip in clips:
        if strict and clip.unusable == UNDECODABLE:
            raise UserError(f"{clip.name}: {UNDECODABLE}. Mend it, or set prepare.strict to false to leave it out.")
        if strict and clip.left_out:
            frames = "; ".join(f"{clip.name}/{name}: {reason}" for name, reason in clip.left_out.items())
            raise UserError(f"damaged frames: {frames}. Mend them, or set prepare.strict to false to leave them out.")
        yield clip


def _first_reasons(index: dict[str, Any]) -> str:
    reasons = [f"{entry['clip']}: {entry['reason']}" for entry in index["clips_left_out"]]
    return "; ".join(reasons[:3]) or "the manifest lists none"


def _report(index: dict[str, Any], short_side: int) -> dict[str, Any]:
    for entry in index["left_out"]:
        log.warning("left out: %s/%s: %s", entry["clip"], entry["frame"], entry["reason"])
    for entry in index["clips_left_out"]:
        log.warning("left out: the clip %s: %s", entry["clip"], entry["reason"])
    small = [clip["name"] for clip in index["clips"] if min(clip["height"], clip["width"]) < short_side]
    if small:
        log.info("kept at their size, below %d pixels: %d clips (%s)", short_side, len(small), ", ".join(small))
    record = {
        "clips": len(index["clips"]),
        "frames": sum(len(clip["frames"]) for clip in index["clips"]),
        "frames_left_out": len(index["left_out"]),
        "clips_left_out": len(index["clips_left_out"]),
        "clips_below_short_side": len(small),
        "bytes": sum(shard["bytes"] for shard in index["shards"]),
    }
    log.info("prepare: %s", ", ".join(f"{key} {value}" for key, value in record.items()))
    return record


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--dataset", type=Path, required=True, help="the training set's manifest, written by fetch")
    parser.add_argument("--output", type=Path, required=True, help="the folder of the frame store")
    args = parser.parse_args()
    run_stage(NAME, lambda: main(args))
