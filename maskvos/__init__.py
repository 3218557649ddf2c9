"""Self-supervised video object segmentation: mask embedding and dense correspondence, as a reproducible pipeline."""

__version__ = "0.1.0"
