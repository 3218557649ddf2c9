"""The loop of ``maskvos segment``: frame after frame into masks, with the state kept now and then."""

import time
from collections.abc import Callable, Iterator

import numpy as np
import torch

from maskvos.console import log
from maskvos.errors import UserError
from maskvos.inference.identity import FramesRead
from maskvos.inference.partial_run import PartialRun, clear
from maskvos.inference.propagate import Tracker
from maskvos.inference.span import Span
from maskvos.inference.tracker_state import load_state, read_header, save_state
from maskvos.storage.masks import write_mask

SECONDS_BETWEEN_STATES = 30.0  # what a kill may cost at most, where keeping the state is cheap
SHARE = 0.025  # of the time may go into keeping the state; where that takes longer, it is kept less often


class TrackingLoop:
    """A video's masks, from where an interrupted run stopped.

    Args:
        tracker: new, for this video.
        run: where masks and state go; its state is taken up.
        stop: says that the end was asked for.

    Attributes:
        done: frames whose masks are written.
    """

    def __init__(self, tracker: Tracker, span: Span, run: PartialRun, stop: Callable[[], bool]) -> None:
        self.tracker, self.span, self.run, self.stop = tracker, span, run, stop
        self._interval = SECONDS_BETWEEN_STATES
        header = read_header(run.state)
        self.done = header["done"] if header is not None else 0
        self._read = FramesRead(span, self.done)
        if header is not None and header["frames"] != self._read.checksum:
            log.info("%s: frames that were done have changed since; starting afresh", run.folder)
            clear(run)
            header, self.done, self._read = None, 0, FramesRead(span)
        self.finished = header is not None and header["finished"]
        if self.done:
            log.info("going on after %d frames that are in %s", self.done, run.folder)
        self._load = header is not None and not self.finished

    @torch.inference_mode()
    def frames(self) -> Iterator[str]:
        """Write the masks that are missing; yields each frame's name.

        Raises:
            UserError: a frame is damaged or has another size, or a mask cannot be written; the state is kept.
        """
        if self.finished:
            return
        if self._load:
            load_state(self.run.state, self.tracker)
        kept = time.monotonic()
        for name, image in self._images():
            try:
                prediction = self.tracker.step(name, image)
            except UserError:  # raised before the memory is changed
                self._keep()
                raise
            write_mask(self.run.masks / f"{name}.png", prediction.ids)
            self.done += 1
            self._read.add(name)
            if self.stop():
                self._keep()
                yield name
                return
            if time.monotonic() - kept >= self._interval:
                self._keep()
                kept = time.monotonic()
            yield name
        self.finished = True
        save_state(self.run.state, None, self._header())

    def _images(self) -> Iterator[tuple[str, np.ndarray]]:
        try:
            yield from self.span.images(self.done)
        except UserError:
            self._keep()
            raise

    def _keep(self) -> None:
        """Keep the state; where that fails, the masks are more important."""
        started = time.monotonic()
        if not self.done:
            return
        try:
            save_state(self.run.state, self.tracker.memory, self._header())
        except UserError as error:
            log.warning("the run cannot be resumed from here: %s", error)
        self._interval = max(SECONDS_BETWEEN_STATES, (time.monotonic() - started) / SHARE)

    def _header(self) -> dict[str, object]:
        return {"done": self.done, "finished": self.finished, "frames": self._read.checksum}
