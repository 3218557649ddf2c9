"""The file of ``maskvos segment --json``: box and area of each object in each frame, for other tools."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from maskvos.storage.masks import read_mask

FILE = "objects.json"
FORMAT = "maskvos-objects-1"
START = f'{{"format": "{FORMAT}"'


def write_objects(path: Path, description: dict[str, Any], frames: Sequence[str], masks: Path, ids: list[int]) -> None:
    """Write the description and, one frame a line, what is known of each object; memory is that of one frame.

    Args:
        description: plain data that goes before the frames.
        frames: names of the masks in order.
        masks: their folder.
        ids: every object of the video; those that are not in a frame have area 0 and no box.
    """
    head = json.dumps({"format": FORMAT, **description, "frame_count": len(frames)})
    with path.open("w") as file:
        file.write(head[:-1] + ', "frames": [')
        for number, frame in enumerate(frames):
            record = {"frame": frame, "objects": list(measure(read_mask(masks / f"{frame}.png"), ids))}
            file.write(("," if number else "") + "\n" + json.dumps(record))
        file.write("\n]}\n")


def measure(mask: np.ndarray, ids: list[int]) -> Iterator[dict[str, Any]]:
    """Area in pixels and box [x, y, width, height] (None without a pixel) of each object in a mask (H, W)."""
    areas = np.bincount(mask.ravel(), minlength=256)
    for identity in ids:
        box = None
        if areas[identity]:
            inside = mask == identity
            rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
            box = [columns[0], rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1]
        yield {"id": identity, "area": int(areas[identity]), "box": None if box is None else [int(v) for v in box]}


def is_objects(path: Path) -> bool:
    """Whether this is a file of `write_objects`."""
    if path.name != FILE or path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(START)) == START.encode()
