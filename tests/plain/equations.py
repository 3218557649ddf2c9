"""Eq. 2, 6 to 10, 12, 14, 15 and Phi in float64, written from the paper with nothing of maskvos.

Maps are (C, h, w) of one frame. Loops go over pixels, in the order of the formula's indices; autograd follows them.
"""

import torch

from tests.plain.networks import decode, embed, encode, enlarge, read


def pixels(maps):
    """The pixels of (C, h, w) in rows."""
    return [maps[:, y, x] for y in range(maps.shape[1]) for x in range(maps.shape[2])]


def affinity(references, query, temperature):
    """Eq. 2 and 6: for each query pixel the weights of all pixels of all references, which sum to 1."""
    candidates = [pixel for frame in references for pixel in pixels(frame)]
    result = []
    for q in pixels(query):
        exponentials = [torch.exp(torch.dot(r, q) / temperature) for r in candidates]
        total = sum(exponentials)
        result.append([exponential / total for exponential in exponentials])
    return result


def readout(weights, values):
    """Eq. 7, and Eq. 8 with masks (1, h, w): for each query pixel the weighted sum of the references' values."""
    rows = [value for frame in values for value in pixels(frame)]
    gathered = [sum(weight * row for weight, row in zip(line, rows, strict=True)) for line in weights]
    return torch.stack(gathered, dim=1).unflatten(1, values[0].shape[1:])


def cell_means(mask):
    """(H, W) -> (1, H/8, W/8)."""
    return torch.stack(
        [
            torch.stack([mask[8 * y : 8 * y + 8, 8 * x : 8 * x + 8].mean() for x in range(mask.shape[1] // 8)])
            for y in range(mask.shape[0] // 8)
        ]
    )[None]


def aggregate(logits):
    """Soft aggregation of STM and STCN: logits (H, W) of each object -> probabilities (K + 1, H, W)."""
    probabilities = [1 / (1 + torch.exp(-logit)) for logit in logits]
    background = 1
    for probability in probabilities:
        background = background * (1 - probability)
    odds = [p / (1 - p) for p in (background, *probabilities)]
    return torch.stack(odds) / sum(odds)


def segmentation_loss(weights, images, masks, labels, valid, settings):
    """Eq. 5 to 10: frame 2 from frame 1, frame 3 from frames 1 and 2; the mean over pixels, queries and clips."""
    losses = []
    for clip in range(len(images)):
        used = [slot for slot in range(valid.shape[1]) if valid[clip, slot]]
        frames = [encode(image, weights) for image in images[clip]]
        known = [[masks[clip, 0, slot] for slot in used]]
        for query in (1, 2):
            probabilities = _segment(weights, images[clip], frames, known, query, settings)
            for y in range(images.shape[-2]):
                for x in range(images.shape[-1]):
                    label = int(labels[clip, query, y, x])
                    losses.append(-torch.log(probabilities[1 + used.index(label - 1) if label else 0, y, x]))
            predicted = probabilities.detach()[1:]
            known.append(
                list(predicted) if settings.references == "predicted" else [masks[clip, query, s] for s in used]
            )
    return sum(losses) / len(losses)


def _segment(weights, images, frames, known, query, settings):
    key, eighth, quarter = frames[query]
    match = affinity([frame[0] for frame in frames[:query]], key, settings.temperature)
    guides, gathered = [], []
    for number in range(len(known[0])):
        values = [embed(images[t], known[t][number], weights) for t in range(query)]
        gathered.append(readout(match, values))  # Eq. 7
        coarse = readout(match, [cell_means(known[t][number]) for t in range(query)])  # Eq. 8
        guide = enlarge(coarse.detach(), 8)[0]  # no gradient through the coarse mask (design: decided)
        guides.append((guide > 0.5).double() if settings.coarse_mask == "hard" else guide)
    if settings.refinement_rounds == 0:
        pairs = zip(gathered, guides, strict=True)
        return aggregate([decode(value, None, eighth, quarter, weights, guide) for value, guide in pairs])
    for _ in range(settings.refinement_rounds):
        own = [embed(images[query], guide, weights) for guide in guides]
        probabilities = aggregate(
            [decode(v, mine, eighth, quarter, weights, g) for v, mine, g in zip(gathered, own, guides, strict=True)]
        )
        guides = list(probabilities.detach()[1:])  # Table 4e: the prediction takes the coarse mask's place
    return probabilities


def phi(maps, top, left, side, flip):
    """Phi: (C, H, W) seen through a crop of ``side`` from (``top``, ``left``), fractions of the frame, then flipped."""
    height, width = maps.shape[1:]
    rows = [(top + side * (i + 0.5) / height) * height - 0.5 for i in range(height)]
    columns = [(left + side * (j + 0.5) / width) * width - 0.5 for j in range(width)]
    return read(read(maps, rows, 1), columns[::-1] if flip else columns, 2)


def cosine(left, right):
    """Of two vectors."""
    return torch.dot(left, right) / torch.sqrt(torch.dot(left, left) * torch.dot(right, right))


def contrast(rows, columns, positives, temperature, negatives):
    """-log of the positive's share among the exponentials: the mean over clips and pixels k (Eq. 12, 15).

    ``rows`` and ``columns`` hold a frame for each clip; ``positives`` the number of the matching pixel in the clip's
    own frame, for each clip and k. The sum below runs over that frame (`pair`) or over those of all clips (`batch`).
    """
    losses = []
    for clip, frame in enumerate(rows):
        others = range(len(columns)) if negatives == "batch" else [clip]
        candidates = [pixel for other in others for pixel in pixels(columns[other])]
        for k, query in enumerate(pixels(frame)):
            hit = torch.exp(cosine(query, pixels(columns[clip])[positives[clip][k]]) / temperature)
            losses.append(-torch.log(hit / sum(torch.exp(cosine(query, c) / temperature) for c in candidates)))
    return sum(losses) / len(losses)


def short_term_loss(current, transformed, temperature, negatives):
    """Eq. 12: ``current`` is X_{t+1}, ``transformed`` X'_t; pixel k belongs to pixel k."""
    positives = [range(len(pixels(frame))) for frame in current]
    return contrast(current, transformed, positives, temperature, negatives)


def matches(transformed, anchor):
    """Eq. 14: o_k for each clip, the pixel of I_t that is most like pixel k of X'_t'; and the smallest lead it has."""
    found, leads = [], []
    for moved, whole in zip(transformed, anchor, strict=True):
        keys = pixels(whole.detach())
        scores = [[float(cosine(query, key)) for key in keys] for query in pixels(moved.detach())]
        found.append([line.index(max(line)) for line in scores])
        leads += [sorted(line)[-1] - sorted(line)[-2] for line in scores]
    return found, min(leads)


def long_term_loss(current, transformed, anchor, temperature, negatives):
    """Eq. 15: ``current`` is X_t', ``transformed`` X'_t', ``anchor`` the features of I_t."""
    return contrast(current, anchor, matches(transformed, anchor)[0], temperature, negatives)
