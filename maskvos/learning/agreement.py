"""How alike two segmentations of the same pixels are, whatever numbers their segments bear."""

import numpy as np


def adjusted_rand_index(first: np.ndarray, second: np.ndarray) -> float:
    """Adjusted Rand index (Hubert and Arabie 1985): 1 for the same partition, about 0 for unrelated ones.

    Args:
        first, second: non-negative integer labels of the same shape; background counts as a segment.
    """
    columns = int(second.max()) + 1
    pairs = np.bincount(first.ravel().astype(np.int64) * columns + second.ravel())
    table = np.pad(pairs, (0, -len(pairs) % columns)).reshape(-1, columns)
    together = _pairs(table)
    rows, others, every = _pairs(table.sum(1)), _pairs(table.sum(0)), _pairs(np.array(first.size))
    expected = rows * others / every if every else 0.0
    largest = (rows + others) / 2
    return 1.0 if largest == expected else (together - expected) / (largest - expected)


def _pairs(counts: np.ndarray) -> float:
    """Pairs of pixels that share a cell."""
    return float((counts.astype(np.float64) * (counts - 1.0) / 2).sum())
