"""The frames that ``maskvos segment`` works on: a video file or a folder of frames, from ``--start`` to ``--end``."""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maskvos.console import log
from maskvos.datasets.clips import open_clip
from maskvos.datasets.images import IMAGE_SUFFIXES, VIDEO_SUFFIXES, FrameSource, VideoFile
from maskvos.errors import UserError


@dataclass(frozen=True)
class Span:
    """Frames in order, by name.

    Attributes:
        frames: those of a folder as they are; those of a video as its container states them, which can be wrong.
        rate: frames per second of a video, 0 where it is not known.
        open_end: frames of the video beyond the stated ones belong to it as well.
    """

    path: Path
    source: FrameSource
    frames: Sequence[str]
    rate: float = 0.0
    open_end: bool = False

    @property
    def is_video(self) -> bool:
        """Whether the source is one file, whose frames have no files of their own."""
        return isinstance(self.source, VideoFile)

    def first_image(self) -> np.ndarray:
        """(H, W, 3) uint8 RGB of the first frame.

        Raises:
            UserError: it is damaged.
        """
        return self.source.read(self.frames[0])

    def name(self, place: int) -> str:
        """The frame at a place counted from the first, also behind the stated ones."""
        return self.frames[place] if place < len(self.frames) else f"{int(self.frames[0]) + place:05d}"

    def images(self, skip: int = 0) -> Iterator[tuple[str, np.ndarray]]:
        """Names and images (H, W, 3) uint8 RGB in order, without the first ``skip``.

        A video that ends early ends the frames, with a warning.

        Raises:
            UserError: an image of a folder is damaged.
        """
        for frame in itertools.islice(self.frames, skip, None):
            try:
                image = self.source.read(frame)
            except UserError:
                if not self.is_video or frame == self.frames[0]:
                    raise
                last = f"{int(frame) - 1:05d}"
                log.warning(
                    "%s: states frames up to %s, but %s is the last that can be decoded; the masks end there.",
                    *(self.path, self.frames[-1], last),
                )
                return
            yield frame, image
        place = max(skip, len(self.frames))
        while self.open_end:  # the container may have stated too few
            try:
                image = self.source.read(self.name(place))
            except UserError:
                return
            yield self.name(place), image
            place += 1


def open_span(path: Path, start: str | None = None, end: str | None = None, others: Iterable[str] = ()) -> Span:
    """The frames from ``start`` to ``end``, both included; each is a name or a number as `find_frame` takes them.

    Args:
        path: a folder of frames or a video file.
        start: None for the first frame.
        end: None for the last one.
        others: frames that will be looked for in the span.

    Raises:
        UserError: the source cannot be used, has no such frames, or ends before it starts.
    """
    span = _open_folder(path) if path.is_dir() else _open_file(path)
    wanted = [int(text) for text in (start, end, *others) if text is not None and text.isdecimal()]
    if span.is_video and max(wanted, default=-1) >= len(span.frames):
        span = _counted(span)  # before a number is refused, what the container states is checked
    first = 0 if start is None else find_frame(span, start, "--start")
    last = len(span.frames) - 1 if end is None else find_frame(span, end, "--end")
    if first > last:
        raise UserError(
            f"--start {start} lies after --end {end}. Both frames belong to what is segmented: name the first and the "
            "last one."
        )
    return Span(path, span.source, span.frames[first : last + 1], span.rate, span.open_end and end is None)


def find_frame(span: Span, text: str, option: str) -> int:
    """The place of a frame among ``span.frames``.

    Args:
        text: its name, with or without the file's suffix, or the number that only its name ends with (40 for 00040 or
            for frame_0040).
        option: for the message.

    Raises:
        UserError: there is no such frame, or more than one.
    """
    name = text if text in span.frames or not text.lower().endswith(IMAGE_SUFFIXES) else Path(text).stem
    if name in span.frames:
        return span.frames.index(name)
    found = (
        [place for place, frame in enumerate(span.frames) if _number(frame) == int(text)] if _is_number(text) else []
    )
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(
            f"{option} {text}: {len(found)} frames of {span.path} end with this number. Write the whole name."
        )
    raise UserError(
        f"{option} {text}: no such frame among the {len(span.frames)} of {span.path} from {span.frames[0]} to "
        f"{span.frames[-1]}. Name one of these" + (", or change --start and --end." if option == "--mask" else ".")
    )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _number(frame: str) -> int | None:
    digits = re.search(r"\d+$", frame)
    return int(digits.group()) if digits else None


def _open_folder(path: Path) -> Span:
    names: dict[str, Path] = {}
    for file in sorted(path.iterdir()):
        if file.suffix.lower() in IMAGE_SUFFIXES and not file.name.startswith("."):
            other = names.setdefault(file.stem, file)
            if other != file:
                raise UserError(
                    f"{path}: {other.name} and {file.name} are the same frame twice. Keep one of them; masks belong in "
                    "another folder."
                )
    clip = open_clip(path) if names else None
    if clip is None:
        raise UserError(f"{path}: no frames in this folder ({', '.join(IMAGE_SUFFIXES)}). {_remedy(path)}")
    return Span(path, clip.source, clip.frames)


def _remedy(path: Path) -> str:
    videos = [file.name for file in sorted(path.iterdir()) if file.suffix.lower() in VIDEO_SUFFIXES]
    folders = [folder.name for folder in sorted(path.iterdir()) if folder.is_dir()]
    if videos:
        return f"It holds the video {videos[0]}: name that file."
    return f"It holds the folder {folders[0]}: name the one with the frames." if folders else "Name another one."


def _open_file(path: Path) -> Span:
    if not path.exists():
        raise UserError(f"{path}: no such file or folder. Name a video file or a folder of frames.")
    if path.suffix.lower() not in VIDEO_SUFFIXES:
        kinds = ", ".join(VIDEO_SUFFIXES)
        single = path.suffix.lower() in IMAGE_SUFFIXES
        remedy = "Name the folder that holds the frames" if single else "Convert it, e.g. to H.264 in .mp4"
        kind = "a single image" if single else f"no video file by its name ({kinds})"
        raise UserError(f"{path}: {kind}, expected a video or a folder of frames. {remedy}.")
    video = VideoFile(path)
    frames = [f"{index:05d}" for index in range(video.stated())]
    span = Span(path, video, frames, video.rate(), open_end=True)
    return span if frames else _counted(span)


def _counted(span: Span) -> Span:
    """The same video with the frames that really decode, which takes a pass over it."""
    assert isinstance(span.source, VideoFile)
    frames = [f"{index:05d}" for index in range(span.source.count())]
    if not frames:
        raise UserError(f"{span.path}: not one frame of this video can be decoded. Convert it, e.g. to H.264 in .mp4.")
    return Span(span.path, span.source, frames, span.rate)
