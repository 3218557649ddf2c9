"""All clips: the order of results, threads, other clips, diverged weights."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from maskvos.learning.kmeans import Start
from maskvos.learning.kmeans_backends import Backend, open_backend
from maskvos.learning.reclustering import Prepared, cluster_clips, in_batches, in_order
from maskvos.networks.encoder import Features
from maskvos.params.method import Clustering
from maskvos.storage.frames import Clip

SETTINGS = Clustering(
    clusters=3, iterations=50, short_side=48, features="embedding", border=0, position_weight=0.5, oversize=0.9
)


class Store:
    """Frames in memory under the frame store's interface; ``order`` says which clips, one after the other."""

    def __init__(self, order):
        self.frames, self.clips = [], []
        for name in order:
            generator = np.random.default_rng(ord(name))
            frames = generator.integers(0, 256, (3 + ord(name) % 3, 48, 64, 3), dtype=np.uint8)
            self.clips.append(Clip(name, [str(i) for i in range(len(frames))], len(self.frames), 48, 64))
            self.frames += list(frames)

    def read(self, index):
        return self.frames[index]


def patches(images):
    """A stand-in for E: the mean colour of each 8 x 8 patch."""
    means = torch.nn.functional.avg_pool2d(images, 8).repeat(1, 3, 1, 1)
    return Features(means, means, means, means)


def run(order, threads=1, encoder=patches, backend="faiss", values=None):
    opened = open_backend(backend, torch.device("cpu"))
    opened = opened if values is None else Backend(opened.run, values)
    results = cluster_clips(
        Store(order), Store(order).clips, encoder, SETTINGS, opened, (0, 1), torch.device("cpu"), threads
    )
    return [(clip.name, masks.labels.shape, masks.labels.tobytes(), masks.objective) for clip, masks in results]


def test_threads_order_and_sharding_change_nothing():
    one = run("abcdefgh")
    assert [entry[0] for entry in one] == list("abcdefgh")
    assert [entry[1] for entry in one] == [(3 + ord(name) % 3, 6, 8) for name in "abcdefgh"]
    assert run("abcdefgh", threads=3) == one
    assert run("hgfedcba", threads=2)[::-1] == one
    assert run("ab") + run("cdefgh", threads=5) == one


def test_torch_depends_on_no_batch_order_or_sharding():
    """A clip here is 3 to 5 frames of 48 cells with 9 channels, 1,296 to 2,160 values."""
    one = run("abcdefgh", backend="torch")
    assert [entry[:2] for entry in one] == [entry[:2] for entry in run("abcdefgh")]
    for values in (1, 2500, 4400, 7000):
        assert run("abcdefgh", threads=3, backend="torch", values=values) == one
    assert run("hgfedcba", threads=2, backend="torch", values=7000)[::-1] == one
    assert run("abc", backend="torch") + run("defgh", threads=5, backend="torch", values=4400) == one


def test_backends_agree_clip_by_clip():
    for one, other in zip(run("abcd"), run("abcd", backend="torch"), strict=True):
        assert other[3] == pytest.approx(one[3], rel=1e-3)


def test_batches_hold_what_fits_padded_and_never_nothing():
    def item(points):
        return Prepared(None, (), Start(np.zeros((points, 2)), None))

    lengths = [3, 3, 3, 4, 5, 30, 2, 2, 2, 2]
    batches = list(in_batches([item(points) for points in lengths], 16))
    assert [[len(one.start.points) for one in batch] for batch in batches] == [[3, 3], [3, 4], [5], [30], [2, 2, 2, 2]]
    assert list(in_batches([], 16)) == []


def test_diverged_weights_are_named():
    def diverged(images):
        return patches(images * float("nan"))

    with pytest.raises(FloatingPointError, match="clip a are not finite"):
        run("ab", encoder=diverged)


def test_in_order_bounds_what_is_under_way():
    under_way, most, lock = 0, 0, threading.Lock()

    def source():
        nonlocal under_way, most
        for item in range(20):
            with lock:
                under_way += 1
                most = max(most, under_way)
            yield item

    def work(item):
        time.sleep(0.002 * (item % 3))
        return item * item

    with ThreadPoolExecutor(4) as pool:
        for position, result in enumerate(in_order(pool, work, source(), 4)):
            assert result == position * position
            with lock:
                under_way -= 1
    assert most <= 6


def test_in_order_passes_errors_on():
    with ThreadPoolExecutor(2) as pool, pytest.raises(ZeroDivisionError):
        list(in_order(pool, lambda item: 1 // item, [1, 0, 2], 2))
