"""Raw training clips in, encoded clips out, in order and by several processes."""

import multiprocessing
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial

import cv2
import numpy as np

from maskvos.datasets.frame_images import DamagedFrameError, encode, read_image, read_video, shrink
from maskvos.datasets.raw_clips import RawClip
from maskvos.errors import UserError
from maskvos.params.data import Prepare
from maskvos.storage.frame_writer import EncodedClip

# The long-term correspondence draws a second frame apart from the first and the segmentation stage two references and
# a query: three frames are the least that every stage can use.
FEWEST_FRAMES = 3
# DAVIS's longest sequence. Clips are clustered in one piece, so a long video is cut to keep that in memory.
LONGEST_PIECE = 104


def encode_clips(clips: Iterable[RawClip], settings: Prepare, workers: int) -> Iterator[EncodedClip]:
    """Encode every clip with ``workers`` processes (0: in this one); order and bytes do not depend on their number.

    Raises:
        UserError: a worker process was ended from outside.
    """
    job = partial(encode_clip, settings=settings)
    if workers == 0:
        for clip in clips:
            yield from job(clip)
        return
    # Spawned, not forked: a fork inherits the threads' locks of OpenCV and of the progress bar.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        waiting: deque[Future[list[EncodedClip]]] = deque()
        try:
            for clip in clips:
                waiting.append(pool.submit(job, clip))
                if len(waiting) > 4 * workers:  # enough to keep all busy, few enough to bound memory
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        except BrokenProcessPool as error:
            raise UserError(
                "prepare: a process that decodes frames was ended from outside, probably for want of memory. "
                "Lower runtime.workers, or give the job more memory, then run the stage again."
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def encode_clip(clip: RawClip, settings: Prepare) -> list[EncodedClip]:
    """Encode one clip; a long video gives several of at most `LONGEST_PIECE` frames."""
    if clip.video is not None:
        return _encode_video(clip, settings)
    sizes: dict[str, tuple[int, int]] = {}
    small: dict[str, np.ndarray] = {}
    left_out: dict[str, str] = {}
    for path in clip.images:
        try:
            image = read_image(path)
        except DamagedFrameError as error:
            left_out[path.stem] = str(error)
            continue
        sizes[path.stem] = image.shape[:2]
        small[path.stem] = shrink(image, settings.short_side)
    if sizes:
        usual = Counter(sizes.values()).most_common(1)[0][0]
        odd = {name: size for name, size in sizes.items() if size != usual}
        for name, (height, width) in odd.items():
            left_out[name] = f"is {width}x{height} where the clip's frames are {usual[1]}x{usual[0]}"
            del small[name]
    return [_encoded(clip.name, list(small), list(small.values()), left_out, settings)]


def _encode_video(clip: RawClip, settings: Prepare) -> list[EncodedClip]:
    assert clip.video is not None
    images: list[np.ndarray] = []
    left_out: dict[str, str] = {}
    try:
        for image in read_video(clip.video, settings.frames_per_second):
            images.append(shrink(image, settings.short_side))
    except DamagedFrameError as error:
        left_out[clip.video.name] = str(error)
    names = [f"{number:05d}" for number in range(len(images))]
    pieces = -(-len(images) // LONGEST_PIECE)
    if pieces <= 1:
        return [_encoded(clip.name, names, images, left_out, settings)]
    edges = [len(images) * piece // pieces for piece in range(pieces + 1)]
    return [
        _encoded(
            f"{clip.name}-{piece:03d}",
            names[edges[piece] : edges[piece + 1]],
            images[edges[piece] : edges[piece + 1]],
            left_out if piece == pieces - 1 else {},
            settings,
        )
        for piece in range(pieces)
    ]


def _encoded(
    name: str, names: list[str], images: list[np.ndarray], left_out: dict[str, str], settings: Prepare
) -> EncodedClip:
    left_out = dict(sorted(left_out.items()))
    if len(images) < FEWEST_FRAMES:
        reason = f"{len(images)} usable frames, at least {FEWEST_FRAMES} are needed"
        return EncodedClip(name, 0, 0, [], [], left_out, unusable=reason)
    height, width = images[0].shape[:2]
    return EncodedClip(name, height, width, names, [encode(image, settings.quality) for image in images], left_out)
