"""Pictures for the report: pseudo masks over training frames, predictions over evaluation frames."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maskvos.datasets.sequences import Sequence, open_dataset
from maskvos.report.overlays import data_address, thumbnail
from maskvos.report.records import Result, round_folders
from maskvos.report.tables import percent
from maskvos.storage.frames import Clip, FrameStore
from maskvos.storage.masks import read_mask
from maskvos.storage.weights import load_weights

WIDTH = 220  # pixels of a thumbnail: some 7 kB each, so that a report with eighty stays near a megabyte
CLIPS = 5
ROUNDS = 4
SEQUENCES = 4


@dataclass(frozen=True)
class Strip:
    """Pictures of one kind, from the top down; ``images`` are ``data:`` addresses, None where there is no picture."""

    title: str
    images: list[str | None]
    score: str = ""


@dataclass(frozen=True)
class Gallery:
    """One clip or sequence: ``first`` is the frame whose mask was given, empty where none was."""

    name: str
    note: str
    strips: list[Strip]
    first: str = ""


def spread(count: int, wanted: int) -> list[int]:
    """At most ``wanted`` positions out of ``count``, evenly from the first to the last."""
    return sorted({round(place) for place in np.linspace(0, count - 1, min(count, wanted))}) if count else []


def pseudo_mask_galleries(artifacts: Path) -> list[Gallery]:
    """First, middle and last frame of some training clips, plain and with the pseudo masks of some rounds.

    The clips are spread evenly over the store, the rounds over all rounds; nothing is picked by its looks.
    """
    files = [folder / "pseudo_masks.safetensors" for folder in round_folders(artifacts)]
    files = [path for path in files if path.is_file()]
    if not files or not (artifacts / "frames/index.json").is_file():
        return []
    store = FrameStore(artifacts / "frames")
    chosen = [store.clips[place] for place in spread(len(store.clips), CLIPS)]
    shown = [files[place] for place in spread(len(files), ROUNDS)]
    rounds = {path.parent.name: _chosen_masks(path, chosen) for path in shown}
    return [
        _clip_gallery(store, clip, {name: masks.get(clip.name) for name, masks in rounds.items()}) for clip in chosen
    ]


def _chosen_masks(path: Path, clips: list[Clip]) -> dict[str, np.ndarray]:
    tensors, _ = load_weights(path)
    return {clip.name: tensors[clip.name].numpy() for clip in clips if clip.name in tensors}


def _clip_gallery(store: FrameStore, clip: Clip, rounds: Mapping[str, np.ndarray | None]) -> Gallery:
    places = spread(len(clip.frames), 3)
    frames = [store.read(clip.start + place) for place in places]
    strips = [Strip("Frame", [data_address(thumbnail(frame, None, WIDTH)) for frame in frames])]
    for name, masks in rounds.items():
        images = [
            None if masks is None else data_address(thumbnail(frame, masks[place], WIDTH))
            for frame, place in zip(frames, places, strict=True)
        ]
        kept = 0 if masks is None else int(masks.max())
        strips.append(Strip(f"Round {name}", images, f"{kept} segment{'' if kept == 1 else 's'}"))
    return Gallery(clip.name, f"{len(clip.frames)} frames", strips)


def prediction_galleries(artifacts: Path, name: str, results: list[Result]) -> list[Gallery]:
    """Middle and last annotated frame of some sequences of one set: ground truth, then every row from the last.

    The sequences are spread evenly from the best to the worst J&F of the last row (the full method where it was run).
    """
    manifest = artifacts / "data" / f"{name}.json"
    if not manifest.is_file() or not results:
        return []
    last = results[-1]
    ranked = sorted(last.sequences, key=lambda sequence: -last.sequences[sequence].get("J&F_mean", 0.0))
    sequences = {sequence.name: sequence for sequence in open_dataset(manifest)}
    ranked = [sequence for sequence in ranked if sequence in sequences]
    folder = artifacts / "evaluation" / name
    return [
        _sequence_gallery(
            sequences[ranked[place]], results, folder, f"rank {place + 1} of {len(ranked)} by {last.name.lower()}"
        )
        for place in spread(len(ranked), SEQUENCES)
    ]


def _sequence_gallery(sequence: Sequence, results: list[Result], folder: Path, rank: str) -> Gallery:
    given = sequence.annotated_frames[0]
    later = [frame for frame in sequence.annotated_frames if frame > given] or sequence.frames[1:]
    frames = [later[place] for place in spread(len(later), 3)[1:]] or later
    images = {frame: sequence.image(frame) for frame in (given, *frames)}
    strips = [Strip("Ground truth", [_picture(images[frame], sequence.annotation(frame)) for frame in frames])]
    for result in reversed(results):  # the strongest idea stands beside the ground truth
        files = [folder / result.row / "predictions" / sequence.name / f"{frame}.png" for frame in frames]
        masks = [read_mask(path) if path.is_file() else None for path in files]
        pictures = [
            None if mask is None else _picture(images[frame], mask) for frame, mask in zip(frames, masks, strict=True)
        ]
        score = percent(result.sequences.get(sequence.name, {}).get("J&F_mean"))
        strips.append(Strip(result.name, pictures, f"J&F {score}"))
    objects = len(sequence.first_frames)
    note = f"{folder.name}, {len(sequence.frames)} frames, {objects} object{'' if objects == 1 else 's'}, {rank}"
    return Gallery(sequence.name, note, strips, _picture(images[given], sequence.annotation(given), WIDTH * 3 // 2))


def _picture(image: np.ndarray, ids: np.ndarray | None, width: int = WIDTH) -> str:
    # 255 marks undecided pixels in DAVIS annotations: no object, so nothing is drawn there.
    return data_address(thumbnail(image, None if ids is None else np.where(ids == 255, 0, ids).astype(np.uint8), width))
