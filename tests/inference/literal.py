"""The full method on a video at its native size, Eq. 5 to 9 in float64: every frame kept, everything made anew."""

import numpy as np
import torch

from tests.inference.dense import dense, dense_parts
from tests.plain.batch import normalised
from tests.plain.equations import aggregate
from tests.plain.networks import decode, embed, encode, enlarge

SHARES = {"coarse": 0.0, "mean": 0.5, "refined": 1.0}  # of the refined mask in what a finished frame keeps


def padded(maps):
    """(C, H, W) with zeros at the right and the bottom, to multiples of 8."""
    channels, height, width = maps.shape
    result = maps.new_zeros(channels, -(-height // 8) * 8, -(-width // 8) * 8)
    result[:, :height, :width] = maps
    return result


def cell_means(masks, width=8):
    """(K, H, W) -> means over the pixels that there are; of quarters of cells with a ``width`` of 4, those without a
    pixel as their neighbour."""
    height, length = (-(-size // 8) * 8 for size in masks.shape[1:])
    rows = [y if y < masks.shape[1] else y - width for y in range(0, height, width)]
    columns = [x if x < masks.shape[2] else x - width for x in range(0, length, width)]
    return torch.stack(
        [torch.stack([masks[:, y : y + width, x : x + width].mean((1, 2)) for x in columns], dim=1) for y in rows],
        dim=1,
    )


def quarters(maps):
    """(C, 2h, 2w) -> (h, w, 4, C), the quarters of each cell row by row."""
    corners = [maps[:, y::2, x::2].permute(1, 2, 0) for y in (0, 1) for x in (0, 1)]
    return torch.stack(corners, 2)


def unit(layer1):
    """layer1 centred over the frame, each place of norm 1."""
    centred = layer1 - layer1.mean((1, 2), keepdim=True)
    return centred / centred.norm(dim=0)


@torch.no_grad()
def segment(weights, frames, given, settings):
    """Probabilities (K + 1, H, W) of every frame, objects by ascending id; ``given`` is ids (H, W) by frame name."""
    objects = sorted({int(i) for mask in given.values() for i in np.unique(mask) if i})
    starts = {}  # object -> the frame where it is given
    keys, cells, values, results = [], [], [], []
    fine = [] if settings.layer1_weight else None  # layer1 of every frame, by quarters
    width = 8 if fine is None else 4
    for number, (name, image) in enumerate(frames):
        size = image.shape[:2]
        picture = padded(normalised(torch.from_numpy(image).permute(2, 0, 1)))
        key, eighth, quarter = encode(picture, weights)
        masks = torch.zeros(len(objects), *size, dtype=torch.float64)
        kept, small = masks.clone(), cell_means(masks, width)
        if fine is not None:
            fine.append(quarters(unit(quarter)))
        known = [index for index, identity in enumerate(objects) if identity in starts]
        if known:
            of = {index: starts[objects[index]] for index in known}
            coarse, gathered = _references(key, keys, fine, cells, values, of, settings)
            refined = _refine(weights, picture, enlarge(coarse, width), gathered, (eighth, quarter), size, settings)
            share = SHARES[settings.kept_mask]
            masks[known] = refined
            kept[known] = (1 - share) * enlarge(coarse, width)[:, : size[0], : size[1]] + share * refined
            small[known] = (1 - share) * coarse + share * cell_means(refined, width)
        new = [identity for identity in objects if name in given and (given[name] == identity).any()]
        truth = torch.stack([torch.from_numpy(given[name] == identity).double() for identity in new]) if new else None
        for target, own in ((masks, truth), (kept, truth), (small, cell_means(truth, width))) if new else ():
            target *= 1 - own.sum(0)  # what was predicted at the pixels of a given mask
            target[[objects.index(identity) for identity in new]] = own
        starts |= dict.fromkeys(new, number)
        keys.append(key)
        cells.append(small)
        used = [index for index, identity in enumerate(objects) if identity in starts]
        values.append({index: embed(picture, padded(kept[index][None])[0], weights) for index in used})
        results.append(torch.cat([(1 - masks.sum(0, keepdim=True)).clamp_min(0), masks]))
    return results


def _references(key, keys, fine, cells, values, of, settings):
    """Eq. 6 to 8: coarse masks (K, h, w), or of quarters of cells (K, 2h, 2w) where ``fine`` has those of all frames
    and the query, and values (K, D', h, w) of the objects of ``of`` (object -> first frame).

    Objects of one first frame share their references, as if the video began there; objects of several are joined as
    claims of which at most one is true: by odds.
    """
    query, table = key.permute(1, 2, 0).numpy(), np.stack([frame.permute(1, 2, 0).numpy() for frame in keys])
    coarse, gathered, grid = {}, {}, key.shape[1:]
    for start in set(of.values()):
        recent = [number for number in range(len(keys) - settings.references, len(keys)) if number > start]
        if settings.pad_with_first:
            recent += [start] * (settings.references - len(recent))
        protocol = settings.top_k, settings.radius, settings.temperature, settings.first_radius
        match = dense(query, table, [start], recent, *protocol)
        match = torch.from_numpy(match).unflatten(1, (len(keys), -1))  # (cells, frames, cells)
        for index in (index for index, first in of.items() if first == start):
            if fine is None:
                coarse[index] = sum(match[:, t] @ cells[t][index].flatten() for t in range(len(keys))).view(grid)
            else:
                own, others = fine[-1].numpy(), torch.stack(fine[:-1]).numpy()
                parts = dense_parts(query, table, own, others, settings.layer1_weight, [start], recent, *protocol)
                given = torch.stack([quarters(frame[index][None]).flatten() for frame in cells]).flatten()
                found = (torch.from_numpy(parts) @ given).view(*grid, 2, 2)
                coarse[index] = found.transpose(1, 2).reshape(2 * grid[0], 2 * grid[1])
            rows = [match[:, t] @ values[t][index].flatten(1).T for t in range(len(keys)) if index in values[t]]
            gathered[index] = sum(rows).T.unflatten(1, grid)
        own = [index for index, first in of.items() if first == start]
        _rescale(coarse, own, settings.rescale_limit, 1 if fine is None else 2)
    if len(set(of.values())) > 1:
        backgrounds = {s: 1 - sum(coarse[index] for index in of if of[index] == s) for s in of.values()}
        odds = {index: coarse[index] / backgrounds[of[index]].clamp_min(1e-6) for index in of}
        coarse = {index: odd / (1 + sum(odds.values())) for index, odd in odds.items()}
    return torch.stack([coarse[index] for index in of]), [gathered[index] for index in of]


def _rescale(coarse, objects, limit, side):
    """Each class of a group that wins a cell of ``side`` x ``side`` places is raised to a peak of 1 among the cells, at
    most ``limit`` times; then every place sums to 1 again. In place."""
    if limit == 1:
        return
    classes = [1 - sum(coarse[index] for index in objects), *(coarse[index] for index in objects)]
    height, width = classes[0].shape
    places = [(row, column) for row in range(0, height, side) for column in range(0, width, side)]
    cells = [[mask[y : y + side, x : x + side].mean() for mask in classes] for y, x in places]
    winners = {number for cell in cells for number, value in enumerate(cell) if value == max(cell)}
    peaks = [max(cell[number] for cell in cells) for number in range(len(classes))]
    classes = [m * min(1 / peaks[n], limit) if n in winners else m for n, m in enumerate(classes)]
    for index, mask in zip(objects, classes[1:], strict=True):
        coarse[index] = mask / sum(classes)


def _refine(weights, picture, enlarged, gathered, skips, size, settings):
    """Eq. 9, ``refinement_rounds`` times; 0 decodes Eq. 7 alone. (K, H, W) probabilities."""
    masks = enlarged[:, : size[0], : size[1]]
    for _ in range(max(1, settings.refinement_rounds)):
        own = [None if settings.refinement_rounds == 0 else embed(picture, padded(m[None])[0], weights) for m in masks]
        seen = [padded(mask[None])[0] for mask in masks]
        given = zip(gathered, own, seen, strict=True)
        logits = [decode(value, mine, *skips, weights, mask) for value, mine, mask in given]
        masks = aggregate(logits)[1:, : size[0], : size[1]]
    return masks
