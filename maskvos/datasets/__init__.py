"""Datasets: where they come from, how they lie on disk, and generated videos. Never imports torch."""

from maskvos.datasets.sequence import Sequence
from maskvos.datasets.sequences import open_dataset, open_layout

__all__ = ["Sequence", "open_dataset", "open_layout"]
