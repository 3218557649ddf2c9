"""All clips of a frame store to pseudo masks: reading and k-means run beside the encoder, results keep the order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import faiss
import numpy as np
import torch

from maskvos.learning.clip_features import encode_clip, read_clip
from maskvos.learning.kmeans import clip_generator
from maskvos.learning.pseudo_masks import PseudoMasks, pseudo_masks
from maskvos.networks.encoder import VisualEncoder
from maskvos.params.method import Clustering
from maskvos.storage.frames import Clip, FrameStore

# A GPU encodes a clip faster than one core reads (50 ms) and clusters it (0.1 s); eight cores keep pace, and no more
# than eight clips' features then wait in memory.
MOST_THREADS = 8

Item = TypeVar("Item")
Result = TypeVar("Result")


def cluster_clips(
    store: FrameStore,
    encoder: VisualEncoder,
    settings: Clustering,
    key: tuple[int, int],
    device: torch.device,
    threads: int,
) -> Iterator[tuple[Clip, PseudoMasks]]:
    """Every clip with its pseudo masks, in the store's order; nothing depends on ``threads`` or on the other clips.

    Args:
        store: the frames.
        encoder: E, in evaluation mode, on ``device``. The caller sets autocast around the iteration.
        settings: of the clustering.
        key: seed and round.
        device: where E is.
        threads: that read and cluster.

    Raises:
        FloatingPointError: features are not finite, which means that the training of E diverged.
    """

    def encoded() -> Iterator[tuple[Clip, np.ndarray]]:
        clips = iter(store.clips)
        for images in in_order(pool, lambda clip: read_clip(store, clip, settings.short_side), store.clips, ahead):
            clip = next(clips)
            features = encode_clip(encoder, images, settings.features == "trunk", device, settings.border)
            if not np.isfinite(features).all():
                raise FloatingPointError(f"the features of clip {clip.name} are not finite")
            yield clip, features

    def clustered(encoded_clip: tuple[Clip, np.ndarray]) -> tuple[Clip, PseudoMasks]:
        clip, features = encoded_clip
        return clip, pseudo_masks(features, settings, clip_generator(*key, clip.name))

    ahead = min(threads, MOST_THREADS)
    # Clips are spread over the threads, so each of them keeps to one core.
    with ThreadPoolExecutor(ahead, initializer=faiss.omp_set_num_threads, initargs=(1,)) as pool:
        yield from in_order(pool, clustered, encoded(), ahead)


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
