"""Where a sequence's frames come from: a folder of images or a video file."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from maskvos.errors import UserError, printable
from maskvos.storage.pillow import open_image

if TYPE_CHECKING:
    import cv2  # imported where a video is decoded: what reads no video, such as evaluation, takes 16 MB less

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
VIDEO_SUFFIXES = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg")


class FrameSource(Protocol):
    """Reads one frame by name."""

    def read(self, frame: str) -> np.ndarray:
        """(H, W, 3) uint8 RGB."""
        ...


def by_number(name: str) -> tuple[list[tuple[int, int | str]], str]:
    """Sort key of frames: numbers within the name count as such, so that ``frame2`` comes before ``frame10``."""
    parts = re.split(r"(\d+)", name)
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts], name


def list_visible(folder: Path, wanted: Callable[[Path], bool] = lambda _: True) -> list[Path]:
    """Those of the files and folders in a folder that are wanted, by name, hidden ones left out.

    Raises:
        UserError: a name is not in UTF-8, so that no manifest or table could hold it.
    """
    return sorted(_visible(folder, wanted))


def list_files(folder: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """Frame name (the file's stem) -> file, in the order of `by_number`; hidden files and other suffixes are left
    out."""
    if not folder.is_dir():
        return {}
    files = _visible(folder, lambda path: path.suffix.lower() in suffixes)
    return {path.stem: path for path in sorted(files, key=lambda path: (by_number(path.stem), path.name))}


def _visible(folder: Path, wanted: Callable[[Path], bool]) -> Iterator[Path]:
    for path in folder.iterdir():
        if not path.name.startswith(".") and wanted(path):
            if any("\ud800" <= letter <= "\udfff" for letter in path.name):
                raise UserError(f"{printable(path)}: this name is not in UTF-8. Rename it.")
            yield path


class ImageFiles:
    """Frames that are one image file each."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self.files = files

    def read(self, frame: str) -> np.ndarray:
        """(H, W, 3) uint8 RGB of one frame.

        Raises:
            UserError: the image is absent or damaged.
        """
        path = self.files[frame]
        try:  # not OpenCV, which fills what a truncated JPEG lacks with grey and says nothing
            with open_image(path) as image:
                return np.array(image.convert("RGB"))
        except (OSError, ValueError) as error:
            raise UserError(f"{path}: missing or damaged image ({error}). Restore it or remove it.") from None


class VideoFile:
    """Frames of one video, named 00000, 00001, ...; decoded in order, so reading forwards is fast and seeking is exact.

    Seeking by OpenCV lands on the wrong frame in many files; going back therefore decodes from the start again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._capture: cv2.VideoCapture | None = None
        self._next = 0

    def __getstate__(self) -> dict[str, object]:
        return {"path": self.path, "_capture": None, "_next": 0}  # an open decoder cannot travel to another process

    def count(self) -> int:
        """Number of frames that really decode (containers often state a wrong number)."""
        self._open()
        while self._capture is not None and self._capture.grab():
            self._next += 1
        total, self._capture = self._next, None
        return total

    def stated(self) -> int:
        """Number of frames as the container states it, which can be wrong; 0 where it does not. Nothing is decoded."""
        import cv2

        return max(0, int(self._open().get(cv2.CAP_PROP_FRAME_COUNT)))

    def rate(self) -> float:
        """Frames per second as the container states it; 0 where it does not."""
        import cv2

        return float(self._open().get(cv2.CAP_PROP_FPS))

    def read(self, frame: str) -> np.ndarray:
        """(H, W, 3) uint8 RGB of one frame.

        Raises:
            UserError: the file cannot be opened or ends before that frame.
        """
        import cv2

        index = int(frame)
        capture = self._capture if self._capture is not None and self._next <= index else self._open()
        while self._next < index and capture.grab():
            self._next += 1
        found, image = capture.read()
        if not found:
            raise UserError(f"{self.path}: frame {index} cannot be decoded; the file is damaged or was cut short.")
        self._next += 1
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)

    def _open(self) -> "cv2.VideoCapture":
        import cv2

        capture = cv2.VideoCapture(str(self.path))
        if not capture.isOpened():
            raise UserError(f"{self.path}: not a video that OpenCV can decode. Convert it, e.g. to H.264 in .mp4.")
        self._capture, self._next = capture, 0
        return capture
