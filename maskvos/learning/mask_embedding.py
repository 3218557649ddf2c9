"""Self-supervised mask embedding: forward pass and loss of one batch (paper 3.1, Eq. 5 to 10)."""

import torch
import torch.nn.functional as functional
from torch import Tensor

from maskvos.networks.aggregation import soft_aggregate
from maskvos.networks.encoder import Features
from maskvos.networks.matching import affinity, readout
from maskvos.networks.model import MaskVOS
from maskvos.networks.resample import enlarge
from maskvos.params.method import Segmentation

ABSENT = -20.0  # logit of an object slot that the sample does not use: p = 2e-9


class Objects:
    """The used object slots of a batch: (B, K, ...) tensors on ``device`` to and from (N, ...) with N <= B K.

    ``valid`` (B, K) is best in main memory: N is a shape, and a GPU would be waited for to learn it.
    """

    def __init__(self, valid: Tensor, device: torch.device) -> None:
        self.shape = valid.shape  # (B, K)
        self.slots = valid.flatten().nonzero().squeeze(1).to(device, non_blocking=True)
        self.clips = self.slots // valid.shape[1]

    def gather(self, values: Tensor) -> Tensor:
        """(B, K, ...) -> (N, ...)."""
        return values.flatten(0, 1)[self.slots]

    def spread(self, values: Tensor, fill: float) -> Tensor:
        """(N, ...) -> (B, K, ...), unused slots filled."""
        flat = values.new_full((self.shape[0] * self.shape[1], *values.shape[1:]), fill)
        return flat.index_copy(0, self.slots, values).unflatten(0, self.shape)


def segmentation_loss(
    model: MaskVOS, images: Tensor, masks: Tensor, labels: Tensor, valid: Tensor, settings: Segmentation
) -> Tensor:
    """L_Seg (Eq. 10): frame 2 is segmented from frame 1, frame 3 from frames 1 and 2 (the strategy of STM and STCN).

    Args:
        model: E, V, D.
        images: (B, 3, 3, S, S) normalised frames in order.
        masks: (B, 3, K, S, S) pseudo masks of the drawn clusters, 0 or 1.
        labels: (B, 3, S, S) int64, 0 background, 1..K the drawn clusters.
        valid: (B, K) bool, which slots hold a cluster; in main memory.
        settings: of the stage.

    Returns:
        Scalar: mean cross-entropy over pixels, both queries and clips.
    """
    objects = Objects(valid, images.device)
    features = model.encoder(images.flatten(0, 1))
    frames = [Features(*(maps.unflatten(0, images.shape[:2])[:, t] for maps in features)) for t in range(3)]
    kept = [masks[:, 0]]
    values = [_embed(model, objects, images[:, 0], masks[:, 0])]
    losses = []
    for query in (1, 2):
        weights = affinity(torch.stack([f.key for f in frames[:query]], 1), frames[query].key, settings.temperature)
        log_probabilities = _segment(model, objects, images[:, query], frames[query], weights, kept, values, settings)
        # Reduced by itself: torch's own mean of maps has no deterministic form on GPUs.
        losses.append(functional.nll_loss(log_probabilities, labels[:, query], reduction="none").mean())
        if query == 1:
            predicted = settings.references == "predicted"
            kept.append(log_probabilities.detach().exp()[:, 1:] if predicted else masks[:, 1])
            values.append(_embed(model, objects, images[:, 1], kept[1]))
    return torch.stack(losses).mean()


def _embed(model: MaskVOS, objects: Objects, images: Tensor, masks: Tensor) -> Tensor:
    """V on (B, 3, S, S) images with (B, K, S, S) masks -> (N, D', h, w)."""
    return model.mask_encoder(images[objects.clips], objects.gather(masks)[:, None])


def _segment(
    model: MaskVOS,
    objects: Objects,
    images: Tensor,
    features: Features,
    weights: Tensor,
    kept: list[Tensor],
    values: list[Tensor],
    settings: Segmentation,
) -> Tensor:
    """Eq. 7 to 9 for one query: (B, K+1, S, S) log-probabilities."""
    per_object = weights[objects.clips]
    gathered = readout(per_object, torch.stack(values, dim=1))  # Eq. 7
    small = torch.stack([functional.avg_pool2d(objects.gather(mask)[:, None].float(), 8) for mask in kept], dim=1)
    coarse = enlarge(readout(per_object, small).detach(), 8)  # Eq. 8; a noisy affinity gets no gradient through V
    guide = (coarse > 0.5).float() if settings.coarse_mask == "hard" else coarse
    skips = features.skip8[objects.clips], features.skip4[objects.clips]
    logits = None
    if settings.refinement_rounds == 0:
        logits = model.decoder(gathered, torch.zeros_like(gathered), *skips, guide)
    for _ in range(settings.refinement_rounds):
        own = model.mask_encoder(images[objects.clips], guide)
        logits = model.decoder(gathered, own, *skips, guide)  # Eq. 9
        probabilities = soft_aggregate(objects.spread(logits[:, 0], ABSENT)).detach().exp()[:, 1:]
        guide = objects.gather(probabilities)[:, None]
    assert logits is not None
    return soft_aggregate(objects.spread(logits[:, 0], ABSENT))
