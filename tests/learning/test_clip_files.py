"""Pseudo masks of a clip to files and back: not one bit differs."""

import numpy as np

from maskvos.learning.clip_files import from_files, to_files
from maskvos.learning.pseudo_masks import PseudoMasks


def test_every_field_comes_back():
    labels = np.random.default_rng(0).integers(0, 6, (3, 4, 5), dtype=np.uint8)
    masks = PseudoMasks(labels, [30, 20, 10], 2, 17, 0.1 + 0.2)
    again = from_files(to_files(masks))
    assert np.array_equal(again.labels, labels) and again.labels.dtype == np.uint8
    assert (again.sizes, again.kept, again.iterations, again.objective) == ([30, 20, 10], 2, 17, 0.1 + 0.2)
