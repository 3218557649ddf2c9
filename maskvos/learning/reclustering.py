"""All clips of a frame store to pseudo masks: reading and seeding run beside the encoder, results keep the order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import faiss
import numpy as np
import torch

from maskvos.learning.clip_features import encode_clip, read_clip
from maskvos.learning.kmeans import Start
from maskvos.learning.kmeans_backends import Backend
from maskvos.learning.kmeans_start import clip_generator
from maskvos.learning.pseudo_masks import PseudoMasks, pseudo_masks, start_clustering
from maskvos.networks.encoder import VisualEncoder
from maskvos.params.method import Clustering
from maskvos.storage.frames import Clip, FrameStore

# A GPU encodes a clip faster than one core reads (50 ms) and clusters it (0.1 s); eight cores keep pace, and no more
# than eight clips' features then wait in memory.
MOST_THREADS = 8

Item = TypeVar("Item")
Result = TypeVar("Result")


class Prepared(NamedTuple):
    """One clip before k-means: ``grid`` is (T, h, w) of its features."""

    clip: Clip
    grid: tuple[int, ...]
    start: Start


def cluster_clips(
    store: FrameStore,
    clips: Sequence[Clip],
    encoder: VisualEncoder,
    settings: Clustering,
    backend: Backend,
    key: tuple[int, int],
    device: torch.device,
    threads: int,
) -> Iterator[tuple[Clip, PseudoMasks]]:
    """Each of the clips with its pseudo masks, in their order; nothing depends on ``threads`` or on the other clips.

    With a backend that takes batches, the threads prepare clips and this one hands them over; otherwise the threads
    cluster too.

    Args:
        store: the frames.
        clips: of the store, those to cluster.
        encoder: E, in evaluation mode, on ``device``. The caller sets autocast around the iteration.
        settings: of the clustering.
        backend: runs k-means.
        key: seed and round.
        device: where E is.
        threads: that read and cluster.

    Raises:
        FloatingPointError: features are not finite, which means that the training of E diverged.
    """

    def encoded() -> Iterator[tuple[Clip, np.ndarray]]:
        order = iter(clips)
        for images in in_order(pool, lambda clip: read_clip(store, clip, settings.short_side), clips, ahead):
            clip = next(order)
            features = encode_clip(encoder, images, settings.features == "trunk", device, settings.border)
            if not np.isfinite(features).all():
                raise FloatingPointError(f"the features of clip {clip.name} are not finite")
            yield clip, features

    def prepared(encoded_clip: tuple[Clip, np.ndarray]) -> Prepared:
        clip, features = encoded_clip
        start = start_clustering(features, settings, clip_generator(*key, clip.name))
        return Prepared(clip, features.shape[:3], start)

    def clustered(batch: list[Prepared]) -> list[tuple[Clip, PseudoMasks]]:
        results = backend.run([item.start for item in batch], settings.iterations)
        return [
            (item.clip, pseudo_masks(clusters, item.grid, settings))
            for item, clusters in zip(batch, results, strict=True)
        ]

    ahead = min(threads, MOST_THREADS)
    # Clips are spread over the threads, so each of them keeps to one core.
    with ThreadPoolExecutor(ahead, initializer=faiss.omp_set_num_threads, initargs=(1,)) as pool:
        if backend.batch is None:
            for results in in_order(pool, lambda item: clustered([prepared(item)]), encoded(), ahead):
                yield from results
        else:
            for batch in in_batches(in_order(pool, prepared, encoded(), ahead), backend.batch):
                yield from clustered(batch)


def in_batches(items: Iterable[Prepared], values: int) -> Iterator[list[Prepared]]:
    """The clips in order, as many to a batch as padded to the longest hold at most ``values``; at least one."""
    batch: list[Prepared] = []
    longest = 0
    for item in items:
        longest = max(longest, item.start.points.size)
        if batch and (len(batch) + 1) * longest > values:
            yield batch
            batch, longest = [], item.start.points.size
        batch.append(item)
    if batch:
        yield batch


def in_order(
    pool: ThreadPoolExecutor, work: Callable[[Item], Result], items: Iterable[Item], ahead: int
) -> Iterator[Result]:
    """``work`` of each item, in the items' order, with at most ``ahead`` items under way before one is taken."""
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
