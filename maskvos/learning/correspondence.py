"""Self-supervised dense correspondence: L_short and L_long (paper 3.2, Eq. 11 to 15).

The equations sum over pixels and clips; here each loss is the mean over them, so that weights and learning rates do not
depend on the crop or the batch. The cosine similarities are divided by a temperature: the bare cosine of the formula
hardly differs between pixels, and did not learn.
"""

import torch
import torch.nn.functional as functional
from torch import Tensor

from maskvos.networks.recompute import recomputed
from maskvos.parallel.collectives import gather, rank


def short_term_loss(current: Tensor, transformed: Tensor, temperature: float, negatives: str) -> Tensor:
    """Eq. 12: pixel k of X_{t+1} = Phi(E(I_{t+1})) against all pixels of X'_t = E(Phi(I_t)); the positive is pixel k.

    Args:
        current: (B, D, h, w) L2-normalised, Phi(E(I_{t+1})).
        transformed: (B, D, h, w) L2-normalised, E(Phi(I_t)).
        temperature: divides the cosine similarities.
        negatives: `pair`, the pixels of the one other frame (the formula's letter); `batch`, those of all clips (DUL),
            of all processes'.

    Returns:
        Scalar; gradients flow into both arguments.
    """
    rows, columns = pixels(current), pixels(transformed)
    positives = torch.arange(rows.shape[1], device=rows.device).expand(rows.shape[:2])
    return _contrast(rows, columns, positives, temperature, negatives)


def long_term_loss(
    current: Tensor, transformed: Tensor, anchor: Tensor, temperature: float, negatives: str
) -> tuple[Tensor, Tensor]:
    """Eq. 14 and 15: X'_{t'} finds its match o_k in I_t; X_{t'} = Phi(E(I_{t'})) is then drawn to that pixel.

    Args:
        current: (B, D, h, w) L2-normalised, Phi(E(I_{t'})).
        transformed: (B, D, h, w) L2-normalised, E(Phi(I_{t'})); only its argmax is used.
        anchor: (B, D, h, w) L2-normalised, E(I_t).
        temperature: divides the cosine similarities.
        negatives: `pair` or `batch`, as in `short_term_loss`; the match is sought in the clip's own frame either way.

    Returns:
        The loss, with gradients into ``current`` and ``anchor``; and o (B, h w), the matches.
    """
    columns = pixels(anchor)
    with torch.no_grad():  # an argmax has no gradient
        matches = (pixels(transformed) @ columns.transpose(1, 2)).argmax(dim=2)
    return _contrast(pixels(current), columns, matches, temperature, negatives), matches


def pixels(maps: Tensor) -> Tensor:
    """(B, D, h, w) -> (B, h w, D) float32."""
    return maps.float().flatten(2).transpose(1, 2)


def _contrast(rows: Tensor, columns: Tensor, positives: Tensor, temperature: float, negatives: str) -> Tensor:
    """Mean cross-entropy of each row pixel (B, n, D) over column pixels (B, n, D), positives (B, n) in its own clip."""
    with torch.autocast(rows.device.type, enabled=False):
        if negatives == "pair":
            logits = (rows @ columns.transpose(1, 2) / temperature).flatten(0, 1)
            return functional.cross_entropy(logits, positives.flatten())
        batch, pixels = rows.shape[:2]
        clips = rank() * batch + torch.arange(batch, device=rows.device)
        places = (clips[:, None] * pixels + positives).flatten()
        return recomputed(_cross_entropy, rows.flatten(0, 1), gather(columns).flatten(0, 1), places, temperature)


def _cross_entropy(rows: Tensor, columns: Tensor, places: Tensor, temperature: float) -> Tensor:
    """Mean over rows (N, D); a logit for each of the columns (M, D), the right one at ``places`` (N,)."""
    return functional.cross_entropy(rows @ columns.T / temperature, places)
