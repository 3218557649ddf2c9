"""Samples a second of each stage's loader beside the plain one's, in turn, on the same frames and processes."""

import time
from collections.abc import Callable, Iterator

import numpy as np
import torch

from benchmarks.training_plain import PlainFrames, PlainMultiCrop
from maskvos.params.method import BackbonePretraining, Correspondence, Segmentation
from maskvos.storage.frames import FrameStore
from maskvos.training.multicrop import MultiCrop
from maskvos.training.order import Samples
from maskvos.training.pairs import PairSampler, draw_frames
from maskvos.training.triplets import TripletSamples, draw_triplet

BATCH = 8


def made_up_masks(store: FrameStore) -> dict[str, torch.Tensor]:
    """Pseudo masks as a clustering leaves them: five regions a clip, on a grid at stride 8 of 256 pixels."""
    rng = np.random.default_rng(0)
    masks = {}
    for clip in store.clips:
        size = [round(32 * side / min(clip.height, clip.width)) for side in (clip.height, clip.width)]
        regions = torch.from_numpy(rng.integers(0, 6, (1, 1, 4, 6))).float()
        grid = torch.nn.functional.interpolate(regions, size)[0].to(torch.uint8)
        masks[clip.name] = grid.expand(len(clip.frames), -1, -1).contiguous()
    return masks


def stage_samples(store: FrameStore, content: dict, batch: int = 0) -> dict[str, Samples]:
    """What each stage trains on, at its own batch or another."""
    backbone = BackbonePretraining(**content["backbone_pretraining"])
    correspondence = Correspondence(**content["correspondence"])
    segmentation = Segmentation(**content["segmentation"])
    if batch:
        segmentation = segmentation.model_copy(update={"batch": batch})
    masks, rounds = made_up_masks(store), content["alternate"]["rounds"]
    joint = correspondence if segmentation.encoder_rate else None
    pairs = PairSampler(store, correspondence, correspondence.cropping)
    return {
        "DINO": Samples(MultiCrop(store.read, backbone), len(store), batch or backbone.batch, 0, "dino"),
        "correspondence": Samples(pairs, len(store.clips), batch or correspondence.batch, 0, "pairs"),
        "segmentation": TripletSamples(store, masks, segmentation, joint, rounds, 0),
    }


def plain_samples(store: FrameStore, content: dict) -> dict[str, Samples]:
    """The same by PIL and torchvision; of the segmentation the frames alone, their masks cost it nothing."""
    backbone = BackbonePretraining(**content["backbone_pretraining"])
    correspondence = Correspondence(**content["correspondence"])
    segmentation = Segmentation(**content["segmentation"])

    def pair(rng: np.random.Generator, length: int) -> list[int]:
        return list(draw_frames(rng, length, correspondence.min_distance))

    def triplet(rng: np.random.Generator, length: int) -> list[int]:
        return draw_triplet(rng, length, segmentation.max_gap[1]) + (pair(rng, length) if joint else [])

    joint = segmentation.encoder_rate > 0
    clips = len(store.clips)
    return {
        "DINO": Samples(PlainMultiCrop(store, backbone), len(store), BATCH, 0, "dino"),
        "correspondence": Samples(
            PlainFrames(store, correspondence.cropping, pair, "frames"), clips, BATCH, 0, "pairs"
        ),
        "segmentation": Samples(
            PlainFrames(store, segmentation.cropping, triplet, "frames"), clips, BATCH, 0, "segment"
        ),
    }


def turn(samples: Samples, count: int, workers: int) -> Callable[[], float]:
    """Starts a loader; each call of the result takes ``count`` samples and gives their rate, start-up left out."""
    steps = -(-count // samples.batch)
    batches: Iterator = samples.batches(0, 10**4, workers, pinned=False)
    next(batches)

    def take() -> float:
        began = time.perf_counter()
        for _ in range(steps):
            next(batches)
        return steps * samples.batch / (time.perf_counter() - began)

    return take


def compare(store: FrameStore, content: dict, workers: int, count: int, runs: int) -> list[list[str]]:
    """The table's rows: stage, plain, ours, ratio of the best turns.

    A loader works ahead while nobody asks, so each turn starts its own, which ends with it.
    """
    plain, ours, rows = plain_samples(store, content), stage_samples(store, content, BATCH), []
    for name in ours:
        rates: dict[str, list[float]] = {"plain": [], "ours": []}
        for _ in range(runs):
            for kind, samples in (("plain", plain[name]), ("ours", ours[name])):
                rates[kind].append(turn(samples, count, workers)())
        slow, fast = max(rates["plain"]), max(rates["ours"])
        rows.append([name, f"{slow:.1f}", f"{fast:.1f}", f"{fast / slow:.1f}"])
    return rows
