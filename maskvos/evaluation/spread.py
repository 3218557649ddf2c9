"""The frames that stand out, without neighbours that show the same mistake again."""

from collections import Counter
from collections.abc import Mapping
from typing import TypeVar

import numpy as np

APART = 5  # scored frames between two picks of one object: a mistake lasts; at 5 frames it has moved on
_DIGITS = 9

Key = TypeVar("Key")


def pick_spread(values: Mapping[Key, np.ndarray], count: int, apart: int = APART) -> list[tuple[Key, int]]:
    """The lowest values, lowest first, as (object, position); two of the same object are at least ``apart`` positions
    apart. Of equal values (many frames of lost objects have 0) those of objects picked less often come first.

    Args:
        values: of each object one number a frame, (T,).
        count: how many to pick; fewer where there are no more.
        apart: positions.
    """
    left = [
        (round(float(value), _DIGITS), key, place) for key, row in values.items() for place, value in enumerate(row)
    ]
    picked: list[tuple[Key, int]] = []
    times: Counter[Key] = Counter()
    while left and len(picked) < count:
        _, key, place = min(left, key=lambda entry: (entry[0], times[entry[1]]))
        picked.append((key, place))
        times[key] += 1
        left = [entry for entry in left if entry[1] != key or abs(entry[2] - place) >= apart]
    return picked
