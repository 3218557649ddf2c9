"""Correspondence by photometric reconstruction: MAST (Lai et al., CVPR 2020; L_Re of the paper's section 2).

A target frame's colours are put together from reference frames by attention (MAST, section 3.1), in Lab, whose channels
are far less correlated than RGB's, under a Huber loss ("Improved Reconstruction Objective"). E sees neither frame's
reconstructed channel: see `maskvos.training.runs`. What differs from MAST, for E's features on crops: keys are
L2-normalised, so that a temperature stands where MAST has bare dot products; the comparison is made at the features'
resolution, not after enlarging the result to the image's; a window ends at the frame's border, where the release lets
empty places beside the frame take part, with similarity 0 and colour 0.
"""

import torch
import torch.nn.functional as functional
from torch import Tensor

from maskvos.networks.matching import affinity, readout

# MAST's release: colours in [-1, 1] times 20, so that the Huber loss turns linear at an error of 1/20.
COLOUR_SCALE = 20.0


def window(height: int, width: int, radius: int, device: torch.device) -> Tensor:
    """Restricted attention: (h w, h w) bool, true where rows and columns both differ by at most ``radius`` pixels."""
    rows, columns = torch.arange(height, device=device), torch.arange(width, device=device)
    near_rows = (rows[:, None] - rows).abs() <= radius
    near_columns = (columns[:, None] - columns).abs() <= radius
    return (near_rows[:, None, :, None] & near_columns[None, :, None, :]).flatten(2).flatten(0, 1)


def photometric_loss(
    references: Tensor,
    target: Tensor,
    reference_colours: Tensor,
    target_colours: Tensor,
    radius: int,
    temperature: float,
) -> Tensor:
    """Huber loss between a target's colours and those that attention gathers for it from the references.

    Args:
        references: (B, N, D, h, w) L2-normalised keys.
        target: (B, D, h, w) L2-normalised keys.
        reference_colours: (B, N, C, h, w) in [-1, 1].
        target_colours: (B, C, h, w) in [-1, 1].
        radius: of the window of candidates in each reference, in feature pixels.
        temperature: divides the cosine similarities.

    Returns:
        Scalar, the mean over pixels, channels and clips; gradients flow into both keys.
    """
    height, width = target.shape[-2:]
    weights = affinity(references, target, temperature, window(height, width, radius, target.device))
    reconstruction = readout(weights, reference_colours)
    return functional.smooth_l1_loss(COLOUR_SCALE * reconstruction, COLOUR_SCALE * target_colours.float())
