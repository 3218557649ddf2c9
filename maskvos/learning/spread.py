"""How far apart features are: what tells a network that has collapsed from one that learns.

Both figures come from one small sample of pixels. Taking it touches no random numbers but its own, so that a run that
is watched does the same as one that is not.
"""

import math

import torch
import torch.nn.functional as functional
from torch import Tensor

PIXELS = 512  # of a sample: 130,000 pairs; 8 ms on one core with 128 channels, 0.25 s with 2,048
STILL = 1e-12  # variance of unit features that float32's rounding explains


def sample_pixels(maps: Tensor, parts: int = 1) -> Tensor:
    """Unit features of up to `PIXELS` pixels of a batch: the same random places in each of its frames.

    Args:
        maps: (B, D, h, w), one of ``parts`` equal parts of a batch that shares the `PIXELS`.
        parts: processes that take such a sample.

    Returns:
        (B, n, D) float64 on the CPU, detached.
    """
    columns = maps.detach().flatten(2)
    order = torch.randperm(columns.shape[2], generator=torch.Generator().manual_seed(0))
    places = order[: max(1, PIXELS // (parts * len(maps)))].to(maps.device)
    return functional.normalize(columns[:, :, places].transpose(1, 2).cpu().double(), dim=2)


def pair_similarity(features: Tensor) -> float:
    """Mean cosine between two random pixels of different frames; of a single frame, of different places.

    Nearly all pairs are of different clips: the few frames that a batch has of one (3 of 4B - 1 others in the
    correspondence stage) are not told apart. 1 where all pixels look alike; nan where there is no pair.

    Args:
        features: (B, n, D) unit vectors.
    """
    groups = features if len(features) > 1 else features.transpose(0, 1)
    count, size = groups.shape[:2]
    sums = groups.sum(dim=1)  # |sum of all|^2 - sum over groups of |sum of the group|^2: all the pairs at once
    pairs = count * (count - 1) * size**2
    return float(sums.sum(dim=0).square().sum() - sums.square().sum()) / pairs if pairs else math.nan


def effective_rank(features: Tensor) -> float:
    """How many directions the features vary in: exp of the entropy of their covariance's normalised eigenvalues.

    Roy and Vetterli (EUSIPCO 2007), definition 1, of the covariance matrix. 1 where they lie on a line or in a point,
    D where they vary alike in all directions; nan where a feature is not finite.

    Args:
        features: (N, D), any N >= 1; never above N - 1.
    """
    centred = features - features.mean(dim=0)
    if not bool(centred.isfinite().all()):
        return math.nan
    variances = torch.linalg.svdvals(centred).square() / len(features)
    total = variances.sum()
    return float(torch.special.entr(variances / total).sum().exp()) if total > STILL else 1.0
