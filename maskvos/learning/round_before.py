"""What a round of re-clustering is compared with: the pseudo masks of the round before."""

from pathlib import Path

import numpy as np
import torch

from maskvos.errors import UserError
from maskvos.learning.agreement import adjusted_rand_index
from maskvos.storage.weights import load_weights


def round_before(weights: Path, output: Path) -> Path | None:
    """The pseudo masks that these weights learned from, which lie beside them; None for those of correspondence.

    Never ``output`` itself: a run that was killed between its two files may have left it there.

    They are no input of their own in the graphs: whenever they change, so do the weights.
    """
    beside = weights.parent / "pseudo_masks.safetensors"
    return beside if beside.is_file() and beside.resolve() != output.resolve() else None


def read_previous(path: Path | None) -> dict[str, torch.Tensor]:
    """The label maps of the round before, by clip; none where no file is given."""
    if path is None:
        return {}
    tensors, description = load_weights(path)
    if description.get("kind") != "pseudo_masks":
        raise UserError(f"{path}: holds {description.get('kind')!r}, expected the pseudo masks of another round.")
    return tensors


def compare(labels: np.ndarray, previous: torch.Tensor | None) -> dict[str, float]:
    """Agreement with the round before, where that has this clip on the same grid."""
    if previous is None or previous.shape != labels.shape:
        return {}
    return {"agreement": round(adjusted_rand_index(labels, previous.numpy()), 6)}
