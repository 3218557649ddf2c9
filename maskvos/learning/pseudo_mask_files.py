"""Files of pseudo masks, read by those who learn from them or compare with them."""

from pathlib import Path
from typing import Any

from torch import Tensor

from maskvos.errors import UserError
from maskvos.storage.weights import load_weights

KIND = "pseudo_masks"


def load_pseudo_masks(path: Path, frames: str | None = None) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Label maps (T, h, w) uint8 by clip, and what the file says of itself.

    Args:
        path: a file that the stage recluster wrote.
        frames: fingerprint of the frame store that they must have been made from; None: any.

    Raises:
        UserError: absent, damaged, another kind of file, or made from other frames.
    """
    tensors, description = load_weights(path)
    if description.get("kind") != KIND:
        raise UserError(f"{path}: holds {description.get('kind')!r}, expected pseudo masks.")
    if frames is not None and description.get("frames") != frames:
        raise UserError(f"{path}: pseudo masks of other frames than those given. Run recluster on these frames first.")
    return tensors, description
