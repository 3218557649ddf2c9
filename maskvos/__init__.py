"""Self-supervised video object segmentation: mask embedding and dense correspondence, as a reproducible pipeline."""

import os

__version__ = "0.1.0"

# Before torch loads OpenMP: its threads otherwise spin while they wait and starve whatever shares the cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
