"""Samples of the mask embedding loss: three frames of one clip and the pseudo masks of up to K clusters."""

import numpy as np
from torch import Tensor

from maskvos.params.method import Correspondence, Segmentation
from maskvos.storage.frames import FrameStore
from maskvos.training.batch_cropping import cut_frames, largest_cut
from maskvos.training.cropping import random_crop
from maskvos.training.label_maps import cut_labels, label_areas
from maskvos.training.order import Sample, Samples
from maskvos.training.regimes import correspondence_sampler

PREFIX = "pair_"  # of the names in the correspondence losses' sample
TRIES = 10  # crops that are drawn until one shows a pseudo mask


def draw_triplet(rng: np.random.Generator, length: int, max_gap: int) -> list[int]:
    """Three rising positions with gaps of 1..max_gap, reversed at random (STM, STCN)."""
    largest = max(1, min(max_gap, (length - 1) // 2))
    gaps = rng.integers(1, largest + 1, size=2)
    first = int(rng.integers(0, length - int(gaps.sum())))
    positions = [first, first + int(gaps[0]), first + int(gaps.sum())]
    return positions[::-1] if rng.integers(2) else positions


class TripletSamples(Samples):
    """Samples over all clips of the store; a clip without pseudo masks gives its place to one that has them.

    A sample: the cuts of `cut_frames`; what `see_labels` makes the labels of, 0 or the slot 1..K of the drawn cluster;
    ``valid`` (K,) bool, which slots hold one; and under ``pair_`` the sample of the correspondence losses where they
    are part of the loss (Eq. 16).

    Args:
        store: frames.
        pseudo_masks: clip name -> (T, h, w) uint8 label map, 0 background.
        settings: of the stage.
        correspondence: of the joint losses, None where they are left out.
        rounds: of the whole run; the largest gap grows over all of them.
        seed: of the experiment.
    """

    def __init__(
        self,
        store: FrameStore,
        pseudo_masks: dict[str, Tensor],
        settings: Segmentation,
        correspondence: Correspondence | None,
        rounds: int,
        seed: int,
    ) -> None:
        self.store, self.settings = store, settings
        self.pseudo_masks = {name: labels.numpy() for name, labels in pseudo_masks.items()}
        self._classes = 1 + max((int(labels.max()) for labels in self.pseudo_masks.values()), default=0)
        self._grid = tuple(max(labels.shape[axis] for labels in self.pseudo_masks.values()) for axis in (1, 2))
        self.usable = [n for n, clip in enumerate(store.clips) if bool(pseudo_masks[clip.name].any())]
        self.pairs = correspondence_sampler(store, correspondence, settings.cropping) if correspondence else None
        super().__init__(self._sample, len(store.clips) if self.usable else 0, settings.batch, seed, "segment")
        self._usable, self._room = set(self.usable), largest_cut(store.clips, settings.cropping)
        self.total_steps = rounds * settings.epochs * self.epoch_steps

    def _sample(self, item: int, rng: np.random.Generator, step: int) -> Sample:
        """One sample of the curriculum's present stage."""
        item = self._usable_item(item, rng)
        low, high = self.settings.max_gap
        gap = low + int((high - low + 1) * step / self.total_steps)
        sample = self._triplet(item, rng, min(gap, high))
        if self.pairs is not None:
            sample |= {f"{PREFIX}{name}": value for name, value in self.pairs(item, rng).items()}
        return sample

    def _usable_item(self, item: int, rng: np.random.Generator) -> int:
        """The clip itself, or another one where it has no pseudo mask to learn from."""
        return item if item in self._usable else self.usable[int(rng.integers(len(self.usable)))]

    def names(self, step: int) -> list[str]:
        """The clips of one step."""
        items = (self._usable_item(int(n), self.generator(step, at)) for at, n in enumerate(self.items(step)))
        return sorted({self.store.clips[item].name for item in items})

    def _triplet(self, item: int, rng: np.random.Generator, max_gap: int) -> Sample:
        clip = self.store.clips[item]
        positions = draw_triplet(rng, len(clip.frames), max_gap)
        clusters = self.pseudo_masks[clip.name][positions]
        for _ in range(TRIES):
            crop = random_crop(rng, clip.height, clip.width, self.settings.cropping)
            areas = label_areas(clusters[0], crop, self._classes)[1:]
            present = 1 + np.flatnonzero((areas >= self.settings.min_area) & (areas > 0))
            if len(present):
                break
        drawn = rng.permutation(present)[: self.settings.objects]
        slots = np.zeros(self._classes, np.uint8)
        slots[drawn] = np.arange(1, len(drawn) + 1)
        return {
            **cut_frames(self.store.read, [clip.start + position for position in positions], crop, self._room),
            **cut_labels(clusters, crop, self._grid, slots),
            "valid": np.arange(self.settings.objects) < len(drawn),
        }
