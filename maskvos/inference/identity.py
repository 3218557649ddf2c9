"""What the masks of a run depend on, so that an interrupted one is continued by the same command only."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from maskvos.datasets.images import ImageFiles
from maskvos.inference.span import Span


def describe_source(span: Span) -> dict[str, str]:
    """Where the frames come from and which they are; a video's size and time of change too.

    Frames of a folder are not looked at here, so that a damaged one can be replaced: see `FramesRead`.
    """
    path = span.path.resolve()
    stat = path.stat()
    source = f"{path}, {stat.st_size} bytes, changed {stat.st_mtime_ns}" if span.is_video else str(path)
    frames = f"{span.frames[0]} to {span.frames[-1]}, {_checksum(frame.encode() for frame in span.frames)}"
    return {"source": source, "span of frames": frames}


def describe_masks(masks: Mapping[str, np.ndarray]) -> str:
    """A checksum of the given masks with their frames."""
    return _checksum(part for frame in sorted(masks) for part in (frame.encode(), masks[frame].tobytes()))


def describe_plain(values: Mapping[str, object]) -> str:
    """Settings and the like as one line."""
    return json.dumps(values, sort_keys=True)


class FramesRead:
    """A running checksum of names, sizes and times of change of the files that the tracker has read so far."""

    def __init__(self, span: Span, count: int = 0) -> None:
        self._span, self._sum = span, hashlib.sha256()
        for frame in span.frames[:count]:
            self.add(frame)

    def add(self, frame: str) -> None:
        """One more frame; a file that is missing has another checksum than before."""
        if isinstance(self._span.source, ImageFiles):
            path: Path = self._span.source.files[frame]
            stat = path.stat() if path.exists() else None
            self._sum.update(f"{path.name} {stat and (stat.st_size, stat.st_mtime_ns)}\n".encode())

    @property
    def checksum(self) -> str:
        """sha256 so far."""
        return self._sum.hexdigest()


def _checksum(parts: Iterable[bytes]) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(8) + part)
    return found.hexdigest()
