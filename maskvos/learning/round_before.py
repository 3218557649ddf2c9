"""What a round of re-clustering is compared with: the pseudo masks of the round before."""

from pathlib import Path

import numpy as np
import torch

from maskvos.learning.agreement import adjusted_rand_index
from maskvos.learning.pseudo_mask_files import load_pseudo_masks


def round_before(weights: Path, output: Path) -> Path | None:
    """The pseudo masks that these weights learned from, which lie beside them; None for those of correspondence.

    Never ``output`` itself: a run that was killed between its two files may have left it there.

    They are no input of their own in the graphs: whenever they change, so do the weights.
    """
    beside = weights.parent / "pseudo_masks.safetensors"
    return beside if beside.is_file() and beside.resolve() != output.resolve() else None


def read_previous(path: Path | None) -> dict[str, torch.Tensor]:
    """The label maps of the round before, by clip; none where no file is given."""
    return load_pseudo_masks(path)[0] if path is not None else {}


def compare(labels: np.ndarray, previous: torch.Tensor | None) -> dict[str, float]:
    """Agreement with the round before, where that has this clip on the same grid."""
    if previous is None or previous.shape != labels.shape:
        return {}
    return {"agreement": round(adjusted_rand_index(labels, previous.numpy()), 6)}
