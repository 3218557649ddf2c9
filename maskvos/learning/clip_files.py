"""The pseudo masks of one clip as files: what an interrupted re-clustering goes on behind."""

import io
import json
from collections.abc import Mapping

import numpy as np

from maskvos.learning.pseudo_masks import PseudoMasks

_LABELS, _NUMBERS = "labels.npy", "numbers.json"


def to_files(masks: PseudoMasks) -> dict[str, bytes]:
    """Labels (T, h, w) uint8 as .npy, the other fields as JSON: every bit of them."""
    labels = io.BytesIO()
    np.save(labels, masks.labels, allow_pickle=False)
    numbers = {"sizes": masks.sizes, "kept": masks.kept, "iterations": masks.iterations, "objective": masks.objective}
    return {_LABELS: labels.getvalue(), _NUMBERS: json.dumps(numbers).encode()}


def from_files(files: Mapping[str, bytes]) -> PseudoMasks:
    """What `to_files` was given."""
    labels = np.load(io.BytesIO(files[_LABELS]), allow_pickle=False)
    return PseudoMasks(labels, **json.loads(files[_NUMBERS]))
