"""Ordinary videos: a folder that holds video files, folders of frames, or both. Frames only, no annotations."""

from pathlib import Path

from maskvos.datasets.images import IMAGE_SUFFIXES, VIDEO_SUFFIXES, ImageFiles, VideoFile, list_files, list_visible
from maskvos.datasets.sequence import Sequence
from maskvos.errors import UserError


def open_clips(root: Path) -> list[Sequence]:
    """One sequence per video file (named after it, without its suffix) and per folder of frames, by name.

    Frames of a folder are ordered by the numbers in their names, so that ``frame2`` comes before ``frame10``. A video
    that cannot be decoded is a sequence without frames: one in a large folder must not stop a run.

    Raises:
        UserError: the folder is absent or holds neither, two clips share a name, or not one of them can be decoded.
    """
    if not root.is_dir():
        raise UserError(f"{root}: no such folder. Name one with video files or folders of frames.")
    clips: dict[str, Sequence] = {}
    faults: list[UserError] = []
    for path in list_visible(root):
        try:
            clip = open_clip(path)
        except UserError as error:
            faults.append(error)
            clip = Sequence(path.stem, [], VideoFile(path))
        if clip is not None and clip.name in clips:
            raise UserError(f"{path}: a second clip named {clip.name} in {root}. Rename one of them.")
        if clip is not None:
            clips[clip.name] = clip
    if not clips:
        kinds = ", ".join(VIDEO_SUFFIXES)
        raise UserError(
            f"{root}: neither video files ({kinds}) nor folders of frames. Name the folder that holds them."
        )
    if len(faults) == len(clips):
        raise faults[0]
    return [clips[name] for name in sorted(clips)]


def open_clip(path: Path) -> Sequence | None:
    """A video file or a folder of frames; None where the path is neither.

    Raises:
        UserError: the video cannot be decoded.
    """
    if path.is_dir():
        files = list_files(path, IMAGE_SUFFIXES)
        return Sequence(path.name, list(files), ImageFiles(files)) if files else None
    if path.suffix.lower() not in VIDEO_SUFFIXES:
        return None
    video = VideoFile(path)
    frames = [f"{index:05d}" for index in range(video.count())]
    if not frames:
        raise UserError(f"{path}: not one frame of this video can be decoded. Convert or remove it.")
    return Sequence(path.stem, frames, video, rate=video.rate())
