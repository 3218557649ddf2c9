"""The frame store, reading: any frame of the training set by its number, from a few large files.

A folder with ``index.json`` and ZIP shards whose members are stored without compression. ZIP because every tool opens
it, it carries a CRC per member and gives random access by offset, and Python needs no package for it; the frames inside
are JPEG (or PNG), so another compression would gain nothing. `maskvos.storage.frame_writer` writes it.
"""

import json
import os
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from maskvos.errors import UserError

try:  # a fifth of the time of the standard library's, which was a fiftieth of a training sample's
    from zlib_ng.zlib_ng import crc32
except ImportError:
    from zlib import crc32

FORMAT = "maskvos-frames-1"
_REMEDY = "Remove the folder and run the stage `prepare` again (or `dvc checkout` it)."


@dataclass(frozen=True)
class Clip:
    """One clip: its frames have the numbers ``start`` to ``start + len(frames) - 1`` and one common size in pixels."""

    name: str
    frames: list[str]
    start: int
    height: int
    width: int


class FrameStore:
    """Random access to stored frames; one object may be used from several threads and from several
    processes, forked or spawned.

    Raises:
        UserError: the folder, its index or one of its shards is missing or damaged.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        index = _read_index(self.folder / "index.json")
        self.fingerprint: str = index["fingerprint"]
        self.dataset: dict[str, str] = index.get("dataset", {})  # name, split and fingerprint of what it was made of
        self.clips: list[Clip] = []
        self._shards: list[Path] = [
            _check_shard(self.folder / shard["file"], shard["bytes"]) for shard in index["shards"]
        ]
        self._files: dict[int, FileIO] = {}
        start = 0
        for clip in index["clips"]:
            self.clips.append(Clip(clip["name"], clip["frames"], start, clip["height"], clip["width"]))
            start += len(clip["frames"])
        columns = ("offsets", "lengths", "crc32")
        self._places = np.array(
            [
                (clip["shard"], *place)
                for clip in index["clips"]
                for place in zip(*(clip[column] for column in columns), strict=True)
            ],
            dtype=np.int64,
        ).reshape(-1, 4)

    def __len__(self) -> int:
        return len(self._places)

    def __getstate__(self) -> dict[str, Any]:
        # Open files cannot travel to another process; each opens its own at its first read.
        return {**self.__dict__, "_files": {}}

    def clip_of(self, index: int) -> Clip:
        """The clip that the frame with this number belongs to."""
        starts = [clip.start for clip in self.clips]
        return self.clips[int(np.searchsorted(starts, self._checked(index), side="right")) - 1]

    def read(self, index: int) -> np.ndarray:
        """The frame with this number as (H, W, 3) uint8 RGB.

        Raises:
            IndexError: there is no such number (they run from 0 to ``len(store) - 1``).
            UserError: the shard is missing or its bytes do not fit the recorded CRC.
        """
        shard, offset, length, crc = (int(value) for value in self._places[self._checked(index)])
        data = self._bytes(shard, offset, length)
        image: np.ndarray | None = (
            cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB) if crc32(data) == crc else None
        )
        if image is None:
            clip = self.clip_of(index)
            name = f"{clip.name}/{clip.frames[index - clip.start]}"
            raise UserError(f"{self._shards[shard]}: damaged, frame {name} does not fit its checksum. {_REMEDY}")
        return image

    def _checked(self, index: int) -> int:
        if not 0 <= index < len(self):
            raise IndexError(f"frame {index} of a store with {len(self)} frames")
        return index

    def _bytes(self, shard: int, offset: int, length: int) -> bytes:
        path = self._shards[shard]
        try:
            if shard not in self._files:
                # setdefault, because another thread may have opened it meanwhile and be reading from its file.
                self._files.setdefault(shard, path.open("rb", buffering=0))
            # pread has no file position, so processes that inherited the same open file do not disturb each other.
            return os.pread(self._files[shard].fileno(), length, offset)
        except OSError as error:
            raise UserError(f"{path}: cannot be read ({error.strerror or error}). {_REMEDY}") from error


def _read_index(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise UserError(f"{path}: missing, so {path.parent} is not a frame store. Run the stage `prepare` first.")
    try:
        index: dict[str, Any] = json.loads(path.read_bytes())
        written_as = index.get("format")
    except (ValueError, AttributeError) as error:
        raise UserError(f"{path}: damaged, not the JSON that `prepare` writes ({error}). {_REMEDY}") from error
    if written_as != FORMAT:
        raise UserError(f"{path}: frame store of format {written_as!r}, expected {FORMAT!r}. {_REMEDY}")
    return index


def _check_shard(path: Path, size: int) -> Path:
    if not path.is_file():
        raise UserError(f"{path}: this shard of the frame store is missing. {_REMEDY}")
    if path.stat().st_size != size:
        raise UserError(f"{path}: damaged, {path.stat().st_size} bytes where the index records {size}. {_REMEDY}")
    return path
