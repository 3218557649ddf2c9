"""Samples of the correspondence losses: an adjacent and a distant frame of one clip."""

import numpy as np

from maskvos.params.method import Correspondence, Cropping
from maskvos.storage.frames import FrameStore
from maskvos.training.batch_cropping import cut_frames, largest_cut
from maskvos.training.cropping import random_crop, random_zoom
from maskvos.training.order import Sample


def draw_frames(rng: np.random.Generator, length: int, min_distance: int) -> tuple[int, int, int]:
    """Positions (t, t+1, t') with |t+1 - t'| >= min_distance, capped by what the clip's length allows.

    t+1 is L_short's neighbour of t and also the frame that L_long aligns t' with: four passes of E, not five.
    """
    t = int(rng.integers(0, length - 1))
    anchor = t + 1
    distance = min(min_distance, max(anchor, length - 1 - anchor))
    distant = [other for other in range(length) if abs(other - anchor) >= distance]
    return t, anchor, int(rng.choice(distant))


class PairSampler:
    """The cuts of `cut_frames` in the order t, t+1, t'; ``zoom`` (3,) top, left, side of Phi; ``zoom_flip``."""

    def __init__(self, store: FrameStore, settings: Correspondence, cropping: Cropping) -> None:
        self.store, self.settings, self.cropping = store, settings, cropping
        self.room = largest_cut(store.clips, cropping)

    def __call__(self, clip_number: int, rng: np.random.Generator, _step: int = 0) -> Sample:
        """One sample; every step draws alike."""
        clip = self.store.clips[clip_number]
        positions = draw_frames(rng, len(clip.frames), self.settings.min_distance)
        crop = random_crop(rng, clip.height, clip.width, self.cropping)
        cuts = cut_frames(self.store.read, [clip.start + position for position in positions], crop, self.room)
        return {**cuts, **random_zoom(rng, self.cropping)}
