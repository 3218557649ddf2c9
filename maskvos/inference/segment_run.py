"""What ``maskvos segment`` does once its arguments are sound: load, track, draw, describe, publish."""

import argparse
from itertools import islice
from typing import Any

import torch

from maskvos import __version__
from maskvos.console import log
from maskvos.errors import UserError
from maskvos.inference import objects_json, overlay_video
from maskvos.inference.given_masks import GivenMasks
from maskvos.inference.identity import describe_masks, describe_plain, describe_source
from maskvos.inference.interruption import end_between_frames
from maskvos.inference.loading import LoadedMethod, load_method
from maskvos.inference.memory_limits import bounded_memory, check_memory
from maskvos.inference.partial_run import PartialRun, partial_run
from maskvos.inference.propagate import Tracker
from maskvos.inference.settings import describe
from maskvos.inference.span import Span
from maskvos.inference.tracking_loop import TrackingLoop
from maskvos.params.inference import Tracking
from maskvos.params.method import Runtime
from maskvos.progress import track
from maskvos.storage.descriptions import weights_file
from maskvos.storage.fingerprints import file_fingerprint
from maskvos.training.device import set_up_device


class SegmentRun:
    """One video with its masks, settings and weights.

    Raises:
        UserError: there is no such device, the weights cannot be used, or the references will not fit in memory.
    """

    def __init__(
        self, span: Span, given: GivenMasks, size: tuple[int, ...], settings: Tracking, arguments: argparse.Namespace
    ) -> None:
        self.span, self.given, self.size, self.settings, self.arguments = span, given, size, settings, arguments
        if arguments.device == "cuda" and not torch.cuda.is_available():
            raise UserError("--device cuda: torch sees no GPU here. Use --device auto or cpu, or run on a GPU node.")
        device = set_up_device(Runtime.alone(arguments.device))
        self.loaded: LoadedMethod = load_method(arguments.weights, arguments.method, settings, device)
        self.weights = {
            "path": str(arguments.weights),
            "sha256": file_fingerprint(weights_file(arguments.weights)),
            **self.loaded.description,
        }
        self.tracker = Tracker(self.loaded.method, (size[0], size[1]), given.masks, settings, device)
        print(f"settings: {describe(settings, self.loaded.name == 'full')}", flush=True)

    def write(self, rate: float) -> None:
        """Write the output, all or nothing; ``rate`` is that of the overlay video.

        Raises:
            UserError: a frame is damaged, something cannot be written, or memory ran out. What was done is kept.
        """
        arguments = self.arguments
        with bounded_memory(self.tracker.device), partial_run(arguments.output, self._identity()) as run:
            check_memory(self.tracker)
            for name in (overlay_video.FILE, objects_json.FILE):  # half-written by a run that was killed at it
                (run.masks / name).unlink(missing_ok=True)
            count = self._track(run)
            names = [self.span.name(place) for place in range(count)]
            if not arguments.no_overlay:
                path = run.masks / overlay_video.FILE
                frames = islice(self.span.images(), count)
                for _ in track(
                    overlay_video.write_overlay(path, frames, run.masks, rate, self.size), count, "overlay frames"
                ):
                    pass
            if arguments.json:
                path = run.masks / objects_json.FILE
                objects_json.write_objects(path, self._description(rate), names, run.masks, self.tracker.objects)
            run.publish()
        print(f"{count} masks in {arguments.output}")

    def _track(self, run: PartialRun) -> int:
        """Write the masks that are missing; the number of all frames."""
        with end_between_frames() as stop:
            loop = TrackingLoop(self.tracker, self.span, run, stop)
            for _ in track(loop.frames(), len(self.span.frames), "frames", loop.done):
                pass
        frames = {self.span.name(place) for place in range(loop.done)}
        for missed in sorted(self.given.masks.keys() - frames):
            log.warning("the mask of frame %s was not used, the video ends before it", missed)
        return loop.done

    def _identity(self) -> dict[str, str]:
        return {
            **describe_source(self.span),
            "set of masks": describe_masks(self.given.masks),
            "file of weights": self.weights["sha256"],
            "method": f"{self.loaded.name}, {self.loaded.precision}, {self.tracker.device.type}",
            "group of settings": describe_plain(self.settings.model_dump()),
            "version": f"maskvos {__version__}, torch {torch.__version__}",
        }

    def _description(self, rate: float) -> dict[str, Any]:
        objects = [
            {"id": marked.id, "frame": marked.frame, "file": str(marked.file), "pixels": marked.pixels}
            for marked in self.given.objects
        ]
        return {
            "source": str(self.span.path),
            "height": self.size[0],
            "width": self.size[1],
            "rate": self.span.rate or None,
            "method": self.loaded.name,
            "settings": self.settings.model_dump(),
            "weights": self.weights,
            "objects": objects,
        }
