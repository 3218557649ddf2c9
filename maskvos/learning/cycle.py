"""Correspondence by cycle consistency: CRW (Jabri et al., NeurIPS 2020, section 3; L_Cyc of the paper's section 2).

A walker goes through a palindrome of frames, from a frame to a later one and back, and is to end where it began. Its
nodes are pixels of E's feature maps here; CRW cuts frames into overlapping patches and embeds each by itself. That
matters: zero padding tells the pixels of a map where they are, and a code of the place closes every cycle whatever the
frames show. So the walk sets out from E(Phi(I)) and comes home to Phi(E(I)), both sides of Eq. 11's equivariance for
the same frame: where Phi zooms or flips, a pixel's place at the start says nothing about its place at the end, and what
it shows does. With both the same maps, the loss is CRW's.
"""

import torch
from torch import Tensor

from maskvos.learning.correspondence import pixels
from maskvos.parallel.collectives import own_part, world_size

EPSILON = 1e-20  # the release's: keeps the logarithm of a walk that no path closes finite


def transition(rows: Tensor, columns: Tensor, temperature: float, dropped: Tensor | None = None) -> Tensor:
    """A step of the walk: softmax over the next frame's nodes of cosine / temperature.

    Args:
        rows: (B, n, D) L2-normalised nodes that are left.
        columns: (B, m, D) L2-normalised nodes that are reached.
        temperature: divides the cosine similarities.
        dropped: (B, n, m) bool, edges that are cut; the others of a row are normalised to 1 (CRW, "Edge Dropout").

    Returns:
        (B, n, m), every row sums to 1; a row whose every edge is cut is uniform.
    """
    logits = rows @ columns.transpose(1, 2) / temperature
    if dropped is not None:
        logits = logits.masked_fill(dropped, torch.finfo(logits.dtype).min)
    return logits.softmax(dim=2)


def cycle_loss(
    start: Tensor,
    frames: Tensor,
    end: Tensor,
    temperature: float,
    edge_dropout: float = 0.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Mean over all cycles start -> frames 1..k -> frames k-1..1 -> end of -log P(the walker comes home to its node).

    Args:
        start: (B, D, h, w) L2-normalised features of the first frame.
        frames: (B, T, D, h, w) L2-normalised features of the frames after it; the cycles turn back at k = 1..T.
        end: (B, D, h, w) L2-normalised features of the first frame again; node i of the start is at home in node i.
        temperature: divides the cosine similarities.
        edge_dropout: share of edges that are cut at random in each step, of every step and direction anew.
        generator: of the cut edges, the same in all processes, on the features' device; for each step the way there
            comes before the way back.

    Returns:
        Scalar, the mean over cycle lengths, nodes and clips (the cross-entropy of the walk with the identity).
    """
    with torch.autocast(start.device.type, enabled=False):
        on_the_way = [pixels(frames[:, step]) for step in range(frames.shape[1])]
        outward, homeward = [pixels(start), *on_the_way], [pixels(end), *on_the_way]
        there = back = None
        losses = []
        for step in range(frames.shape[1]):
            forth = _step(outward[step], outward[step + 1], temperature, edge_dropout, generator)
            home = _step(homeward[step + 1], homeward[step], temperature, edge_dropout, generator)
            there = forth if there is None else there @ forth
            back = home if back is None else home @ back
            returned = (there * back.transpose(1, 2)).sum(dim=2)  # the diagonal of there @ back
            losses.append(-(returned + EPSILON).log().mean())
        return torch.stack(losses).mean()


def _step(
    rows: Tensor, columns: Tensor, temperature: float, edge_dropout: float, generator: torch.Generator | None
) -> Tensor:
    """`transition` with edges drawn to be cut."""
    if not edge_dropout:
        return transition(rows, columns, temperature)
    clips = world_size() * len(rows)  # the edges of all clips are drawn, so that each has the same whoever has the clip
    drawn = torch.rand((clips, rows.shape[1], columns.shape[1]), generator=generator, device=rows.device)
    own = own_part(clips)
    dropped = drawn[own.start : own.stop] < edge_dropout
    return transition(rows, columns, temperature, dropped)
