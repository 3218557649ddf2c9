"""Generated videos with exact masks, written in the layouts of DAVIS and YouTube-VOS.

What comes out is a pure function of (parameters, seed, name of the set): each sequence has its own random source, so
neither their number nor the number of processes changes any of them.
"""

import hashlib
import json
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from maskvos.datasets.generator_layouts import write_sequence, write_tables
from maskvos.datasets.generator_rich import RichScene
from maskvos.datasets.generator_rich_scene import draw_rich_scene
from maskvos.datasets.generator_scene import Scene, draw_scene
from maskvos.storage.atomic import atomic_folder

VERSION = 5  # raised when the same parameters give other videos; older folders are then made again
ATTEMPTS = 60
GRID = 4  # candidates are judged on every fourth pixel of each axis


@dataclass(frozen=True)
class GeneratedSet:
    """Everything that a generated set depends on."""

    name: str
    layout: str
    split: str
    seed: int
    sequences: int
    frames: int
    height: int
    width: int
    max_objects: int
    annotated: bool
    style: str = "plain"
    version: int = VERSION


def generate(spec: GeneratedSet, root: Path, threads: int = 0) -> bool:
    """Write a set of videos; a complete folder made from the same parameters is kept as it is.

    Args:
        spec: what to make.
        root: the folder that is replaced, as a whole or not at all.
        threads: processes to use, 0 for all the cores that this process may use.

    Returns:
        Whether anything had to be made.

    Raises:
        UserError: the disk is full or the folder cannot be written.
    """
    if is_generated(spec, root):
        return False
    processes = min(threads or len(os.sched_getaffinity(0)), spec.sequences)
    with atomic_folder(root, each_file=False) as partial_root:
        task = partial(_make_sequence, spec, partial_root)
        if processes == 1:
            objects = [task(index) for index in range(spec.sequences)]
        else:
            with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
                objects = list(pool.map(task, range(spec.sequences)))
        names = [sequence_name(index) for index in range(spec.sequences)]
        write_tables(partial_root, spec.layout, spec.split, dict(zip(names, objects, strict=True)), spec.annotated)
        record = {"parameters": asdict(spec), "listing": _listing_checksum(partial_root)}
        (partial_root / "generated.json").write_text(json.dumps(record, indent=1))
    return True


def sequence_name(index: int) -> str:
    """Name of a generated sequence."""
    return f"generated-{index:04d}"


def find_scene(spec: GeneratedSet, index: int) -> Scene | RichScene:
    """The first random scene of a sequence in which every object is seen enough and moves away from where it began."""
    key = int.from_bytes(hashlib.sha256(spec.name.encode()).digest()[:8], "big")
    best: tuple[int, Scene | RichScene] | None = None
    draw = draw_rich_scene if spec.style == "rich" else draw_scene
    for attempt in range(ATTEMPTS):
        random = np.random.default_rng((spec.seed, key, index, attempt))
        late = spec.layout == "youtubevos"
        scene = draw(random, (spec.height, spec.width), spec.frames, spec.max_objects, late)
        faults = _count_faults(scene, spec.frames, late)
        if best is None or faults < best[0]:
            best = faults, scene
        if faults == 0:
            break
    assert best is not None
    return best[1]


def _count_faults(scene: Scene | RichScene, frames: int, late: bool) -> int:
    """How many wishes a scene leaves open; an object that cannot be given to a tracker weighs most."""
    masks = np.stack([scene.mask(frame, GRID) for frame in range(frames)])
    faults = 0
    for label, radius in enumerate(scene.radii, 1):
        seen = masks == label
        area = seen.sum(axis=(1, 2)) / (np.pi * (radius / GRID) ** 2)
        enough = np.flatnonzero(area > 0.5)
        start = enough[0] if len(enough) else 0
        is_late = late and area[0] == 0
        faults += 100 * (len(enough) == 0 or (start > 0 and not is_late))
        rest = seen[start + 1 :]
        faults += len(enough) < 0.5 * frames
        # a copy of the first mask must not score: mean IoU with the first frame's mask at most 0.3
        union = (rest | seen[start]).sum(axis=(1, 2))
        overlap = (rest & seen[start]).sum(axis=(1, 2))
        faults += len(rest) > 0 and float((overlap / union.clip(1)).mean()) > 0.3
    return int(faults)


def _make_sequence(spec: GeneratedSet, root: Path, index: int) -> dict[int, list[int]]:
    cv2.setNumThreads(1)
    scene = find_scene(spec, index)
    drawn = [scene.draw(frame) for frame in range(spec.frames)]
    images, masks = [image for image, _ in drawn], [mask for _, mask in drawn]
    return write_sequence(root, spec.layout, sequence_name(index), images, masks if spec.annotated else None)


def is_generated(spec: GeneratedSet, root: Path) -> bool:
    """Whether the folder is complete and was made from these parameters (names and sizes of its files are compared)."""
    try:
        record = json.loads((root / "generated.json").read_text())
    except (OSError, ValueError):
        return False
    return record == {"parameters": asdict(spec), "listing": _listing_checksum(root)}


def _listing_checksum(root: Path) -> str:
    """SHA-256 over names and sizes of all files, the record itself left out."""
    files = sorted(path for path in root.rglob("*") if path.is_file() and path.name != "generated.json")
    listing = "".join(f"{path.relative_to(root).as_posix()}\t{path.stat().st_size}\n" for path in files)
    return hashlib.sha256(listing.encode()).hexdigest()
