"""Readout for groups of objects (Eq. 7 and 8), and the groups' masks joined."""

import torch
from torch import Tensor
from torch.nn import functional

from maskvos.inference.matching import Affinity, readout
from maskvos.inference.memory import ReferenceMemory
from maskvos.inference.parts import from_parts

# Keeps the odds of a group finite where its background is 0.
EPSILON = 1e-6


def coarse_masks(memory: ReferenceMemory, affinities: list[Affinity]) -> Tensor:
    """Eq. 8: (N, side h, side w) soft masks of the objects known so far; what is missing to 1 is background.

    Groups are tracked apart, so their masks can claim the same cell. They are joined as independent claims of which at
    most one is true: odds p / (own background), normalised. With one group (DAVIS) this is Eq. 8 itself, after which
    `rescaled` undoes its fading where the settings say so.
    """
    height, width = memory.keys.shape[1:3]
    table, side = memory.masks.flatten(0, 1), memory.side
    parts = []
    for group, affinity in zip(memory.groups, affinities, strict=True):
        part = readout(affinity, table[:, list(group.objects)].contiguous()).clamp(0, 1)
        parts.append(rescaled(from_parts(part, (height, width), side), memory.settings.rescale_limit, side))
    joined = parts[0] if len(parts) == 1 else join(parts)
    numbers = [number for group in memory.groups for number in group.objects]
    return joined[torch.tensor(numbers, device=joined.device).argsort()]


def rescaled(masks: Tensor, limit: float, side: int = 1) -> Tensor:
    """Undo the fading of masks that are averaged anew in every frame.

    Each class, background included, is scaled to a peak of 1, at most by ``limit``; cells whose sum then exceeds 1 are
    normalised. A class that no cell shows, because another one is likelier everywhere, stays as faint as it is: raised,
    what is left of an object that has gone would come to be shown. The limit keeps such a rest from growing frame by
    frame where it is shown.

    Args:
        masks: (K, h, w) of one group in [0, 1]; what is missing to 1 is background.
        limit: at least 1, which changes nothing.
        side: parts of a cell, a side, where h and w count parts. Peaks are looked for in whole cells all the same: few
            parts are all of one class, so that a small object would be raised too little and fade.
    """
    if limit <= 1:
        return masks
    classes = torch.cat([(1 - masks.sum(0, keepdim=True)).clamp_min(0), masks])
    cells = functional.avg_pool2d(classes[None], side)[0]
    shown = (cells >= cells.amax(0)).any(dim=2, keepdim=True).any(dim=1, keepdim=True)
    raised = classes * (1 / cells.amax((1, 2), keepdim=True)).clamp_max(limit)
    classes = torch.where(shown, raised, classes)
    return (classes / classes.sum(0, keepdim=True).clamp_min(1))[1:]


def join(parts: list[Tensor]) -> Tensor:
    """Masks (K_g, h, w) of several groups -> (K, h, w) that sum to at most 1."""
    odds = [part / (1 - part.sum(0, keepdim=True)).clamp_min(EPSILON) for part in parts]
    stacked = torch.cat(odds)
    return stacked / (1 + stacked.sum(0, keepdim=True))


def gathered_values(memory: ReferenceMemory, affinities: list[Affinity]) -> Tensor | None:
    """Eq. 7: V_q (N, D', h, w) of the objects known so far, each with its group's indices and weights.

    None for label propagation, whose memory keeps no values.
    """
    if memory.values is None:
        return None
    height, width = memory.keys.shape[1:3]
    gathered = {}
    for group, affinity in zip(memory.groups, affinities, strict=True):
        for number in group.objects:
            gathered[number] = readout(affinity, memory.values[number].flatten(0, 1)).T.unflatten(1, (height, width))
    return torch.stack([gathered[number] for number in memory.known])
