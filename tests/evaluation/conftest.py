"""Fixtures of the evaluation tests."""

from pathlib import Path

import numpy as np
import pytest

from tests.evaluation.masks import make_dataset, write_sequence


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A ground truth of one clip and perfect predictions of it."""
    mask = np.zeros((8, 10), np.uint8)
    mask[2:5, 3:6] = 1
    mask[6, 6] = 2
    root = make_dataset(tmp_path / "root", {"clip": [mask] * 5})
    write_sequence(tmp_path / "predictions" / "clip", [mask] * 5)
    return root, tmp_path / "predictions"
