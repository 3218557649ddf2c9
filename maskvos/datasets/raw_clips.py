"""Training clips as they lie on disk: where the frames of each are. Annotations are never looked at.

The readers of `maskvos.datasets.sequences` serve evaluation and stop at a damaged image; training data goes on without
it, so `prepare` needs the bare files.
"""

import itertools
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maskvos.errors import UserError

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg"})
_FRAMES_IN = {"davis": "JPEGImages/480p", "youtubevos": "JPEGImages", "clips": ""}


@dataclass(frozen=True)
class RawClip:
    """One clip: either image files in their order or one video file."""

    name: str
    images: list[Path] = field(default_factory=list)
    video: Path | None = None


def read_manifest(path: Path | str) -> dict[str, Any]:
    """The manifest of a dataset that the stage `fetch` wrote.

    Raises:
        UserError: the file is missing or is not such a manifest.
    """
    path = Path(path)
    try:
        manifest: dict[str, Any] = json.loads(path.read_bytes())
        if manifest["layout"] not in _FRAMES_IN or not isinstance(manifest["sequences"], list):
            raise ValueError(f"unknown layout {manifest['layout']!r}")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}). Run the stage `fetch` first.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not a dataset manifest ({error}). Run the stage `fetch` again.") from error
    return manifest


def list_raw_clips(manifest: dict[str, Any]) -> list[RawClip]:
    """The clips that the manifest lists (its split), with all their frames, in the manifest's order.

    Raises:
        UserError: the folder of a clip is gone, or two files of a clip claim the same frame.
    """
    folder = Path(manifest["root"]) / _FRAMES_IN[manifest["layout"]]
    videos = _videos(folder) if manifest["layout"] == "clips" else {}
    return [_find(folder, sequence["name"], videos) for sequence in manifest["sequences"]]


def _find(folder: Path, name: str, videos: dict[str, Path]) -> RawClip:
    if (folder / name).is_dir():
        return RawClip(name, images=_images(folder / name))
    video = videos.get(name) or videos.get(Path(name).stem)
    if video is None:
        raise UserError(
            f"{folder / name}: the manifest lists this clip but it is not there. The data changed since it was "
            "fetched; run the stage `fetch` again."
        )
    return RawClip(name, video=video)


def _images(folder: Path) -> list[Path]:
    images = sorted((path for path in folder.iterdir() if _is_a(path, IMAGE_SUFFIXES)), key=natural_order)
    for one, other in itertools.pairwise(images):
        if one.stem == other.stem:
            raise UserError(f"{other}: the same frame as {one.name} beside it. Keep one of the two.")
    return images


def _videos(folder: Path) -> dict[str, Path]:
    videos: dict[str, Path] = {}
    for path in sorted(path for path in folder.iterdir() if _is_a(path, VIDEO_SUFFIXES)):
        if path.stem in videos:
            raise UserError(f"{path}: the same clip name as {videos[path.stem].name} beside it. Rename one of the two.")
        videos[path.stem] = path
    return videos


def _is_a(path: Path, suffixes: frozenset[str]) -> bool:
    # Archives made on a Mac carry hidden "._00000.jpg" companions that are no images.
    return path.suffix.lower() in suffixes and not path.name.startswith(".") and path.is_file()


def natural_order(path: Path) -> list[tuple[int, int | str]]:
    """Sort key under which frame2 comes before frame10."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"([0-9]+)", path.stem) if part]
