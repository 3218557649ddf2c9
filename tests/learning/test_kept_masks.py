"""Pseudo masks of a clip, written and read back: not one bit differs."""

import numpy as np

from maskvos.learning.kept_masks import read_pseudo_masks, write_pseudo_masks
from maskvos.learning.pseudo_masks import PseudoMasks


def test_every_field_comes_back(tmp_path):
    labels = np.random.default_rng(0).integers(0, 6, (3, 4, 5), dtype=np.uint8)
    masks = PseudoMasks(labels, [30, 20, 10], 2, 17, 0.1 + 0.2)
    write_pseudo_masks(tmp_path, masks)
    again = read_pseudo_masks(tmp_path)
    assert np.array_equal(again.labels, labels) and again.labels.dtype == np.uint8
    assert (again.sizes, again.kept, again.iterations, again.objective) == ([30, 20, 10], 2, 17, 0.1 + 0.2)
