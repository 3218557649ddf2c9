"""Sinkhorn-Knopp: assignments to prototypes that use all of them alike (SwAV; DINOv2 in place of DINO's centre)."""

from torch import Tensor

from maskvos.parallel.collectives import gather


def sinkhorn(scores: Tensor, iterations: int) -> Tensor:
    """Soft assignments of a batch: every row sums to 1, every prototype gets an equal part of the batch, nearly.

    exp(scores) with columns and rows scaled to equal sums in turn, rows last, so that rows are exact and columns as
    good as ``iterations`` make them. In logarithms, where no power overflows; the constant factors 1/P and 1/N of the
    sources cancel between the two scalings.

    Source: SwAV (Caron et al., NeurIPS 2020), section 3.1 and algorithm 1; DINOv2 (Oquab et al., 2023), section 4.

    Args:
        scores: (N, P) outputs divided by the temperature; of this process, the sums are over those of all.
        iterations: at least 1; 3 in both sources.

    Returns:
        (N, P) probabilities.
    """
    for _ in range(iterations):
        columns = gather(scores.logsumexp(dim=0, keepdim=True))
        scores = scores - columns.logsumexp(dim=0, keepdim=True)
        scores = scores.log_softmax(dim=1)
    return scores.exp()
