"""Pseudo masks over training frames."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from maskvos.params.schema import Plan
from maskvos.report.pictures import Gallery, Strip, picture, spread
from maskvos.report.records import round_folders
from maskvos.storage.frames import Clip, FrameStore
from maskvos.storage.weights import load_weights

CLIPS = 5
ROUNDS = 4


def pseudo_mask_galleries(artifacts: Path, plan: Plan) -> list[Gallery]:
    """First, middle and last frame of some training clips, plain and with the pseudo masks of some rounds.

    The clips are spread evenly over the store, the rounds over the plan's rounds; nothing is picked by its looks.
    """
    files = [folder / "pseudo_masks.safetensors" for folder in round_folders(artifacts, plan)]
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
    strips = [Strip("Frame", [picture(frame, None) for frame in frames])]
    for name, masks in rounds.items():
        images = [
            None if masks is None else picture(frame, masks[place]) for frame, place in zip(frames, places, strict=True)
        ]
        kept = 0 if masks is None else int(masks.max())
        strips.append(Strip(f"Round {name}", images, f"{kept} segment{'' if kept == 1 else 's'}"))
    return Gallery(clip.name, f"{len(clip.frames)} frames", strips)
