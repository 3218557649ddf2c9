"""What the galleries of the report are made of."""

from dataclasses import dataclass

import numpy as np

from maskvos.report.overlays import data_address, thumbnail

WIDTH = 220  # pixels of a thumbnail: some 7 kB each, so that a report with two hundred stays near two megabytes


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


def picture(image: np.ndarray, ids: np.ndarray | None, width: int = WIDTH) -> str:
    """A frame (H, W, 3) uint8 with a mask (h, w) uint8 over it, or plain, as a ``data:`` address."""
    return data_address(thumbnail(image, ids, width))
