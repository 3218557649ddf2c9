"""Affinity and readout for training: dense, differentiable, float32 (Eq. 2, 6, 7, 8)."""

import torch
from torch import Tensor


def affinity(references: Tensor, query: Tensor, temperature: float, allowed: Tensor | None = None) -> Tensor:
    """Softmax over all reference pixels for each query pixel (Eq. 6).

    Args:
        references: (B, N, D, h, w) L2-normalised keys.
        query: (B, D, h, w) L2-normalised keys.
        temperature: divides the cosine similarity.
        allowed: (h w, h w) bool, reference pixel by query pixel: the softmax runs over these of each reference alone,
            at least one for each query pixel; None for all.

    Returns:
        (B, N h w, h w); every column sums to 1.
    """
    with torch.autocast(query.device.type, enabled=False):
        rows = references.float().transpose(1, 2).flatten(2).transpose(1, 2)  # (B, N h w, D)
        logits = rows @ query.float().flatten(2) / temperature
        if allowed is not None:
            logits = logits.masked_fill(~allowed.repeat(references.shape[1], 1), -torch.inf)
        return logits.softmax(dim=1)


def readout(weights: Tensor, values: Tensor) -> Tensor:
    """Gather reference values with an affinity (Eq. 7; Eq. 8 with masks as values).

    Args:
        weights: (B, N h w, h w) of `affinity`.
        values: (B, N, C, h, w).

    Returns:
        (B, C, h, w).
    """
    height, width = values.shape[-2:]
    with torch.autocast(values.device.type, enabled=False):
        rows = values.float().transpose(1, 2).flatten(2)  # (B, C, N h w)
        return (rows @ weights).unflatten(-1, (height, width))
