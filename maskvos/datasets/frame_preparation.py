"""All training clips encoded, in order, by several processes."""

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import partial

import cv2

from maskvos.datasets.clip_encoding import encode_clip
from maskvos.datasets.sequence import Sequence
from maskvos.errors import UserError
from maskvos.params.data import Prepare
from maskvos.storage.frame_writer import EncodedClip


def encode_clips(clips: Iterable[Sequence], settings: Prepare, workers: int) -> Iterator[EncodedClip]:
    """Encode every clip with ``workers`` processes (0: in this one); order and bytes do not depend on their number.

    Raises:
        UserError: a worker process was ended from outside.
    """
    job = partial(encode_clip, settings=settings)
    # The method is self-supervised: what knows annotations ends here.
    bare = (replace(clip, masks={}, objects={}) for clip in clips)
    if workers == 0:
        for clip in bare:
            yield from job(clip)
        return
    # Spawned, not forked: a fork would inherit locks that threads of OpenCV or of the progress bar hold.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        waiting: deque[Future[list[EncodedClip]]] = deque()
        try:
            for clip in bare:
                waiting.append(pool.submit(job, clip))
                if len(waiting) > 4 * workers:  # enough to keep all of them busy, few enough to bound memory
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        except BrokenProcessPool as error:
            raise UserError(
                "prepare: a process that decodes frames was ended from outside, probably for want of memory. "
                "Lower runtime.workers or give the job more memory, then run the stage again."
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
