"""The segmentation stage as a task of the training loop: L = L_seg + L_corr (Eq. 16)."""

import torch
from torch import Tensor

from maskvos.learning.mask_embedding import segmentation_loss
from maskvos.networks.images import normalise
from maskvos.networks.model import MaskVOS
from maskvos.params.method import Correspondence, Segmentation
from maskvos.training.batch_cropping import see_cuts
from maskvos.training.collapse import FeatureSample
from maskvos.training.device import autocast, place
from maskvos.training.label_maps import see_labels
from maskvos.training.optimiser import adam, parameter_groups
from maskvos.training.order import Sample
from maskvos.training.regimes import correspondence_losses
from maskvos.training.schedule import learning_rate
from maskvos.training.triplets import PREFIX


class SegmentationTask:
    """E, V and D together; with ``encoder_rate`` 0, E stays as it is and the correspondence losses fall away."""

    gradient_clip = 0.0
    partial_gradients = False

    def __init__(
        self,
        model: MaskVOS,
        settings: Segmentation,
        correspondence: Correspondence,
        precision: str,
        epoch_steps: int,
        rounds: int,
        device: torch.device,
    ) -> None:
        self.module = place(model, device).train()
        self.features = FeatureSample(model.encoder, lambda features: features.key)
        self.settings, self.correspondence = settings, correspondence
        self.precision, self.device = precision, device
        self.epoch_steps, self.total_steps = epoch_steps, rounds * settings.epochs * epoch_steps
        if settings.encoder_rate == 0:
            model.encoder.requires_grad_(False).eval()
        parts = ((model.encoder, settings.encoder_rate), (model.mask_encoder, 1.0), (model.decoder, 1.0))
        groups = [parameter_groups(part, settings.weight_decay, rate) for part, rate in parts]
        self.optimiser = adam([group for pair in groups for group in pair if group["params"]])

    def rate(self, step: int) -> float:
        """Learning rate of the step, over all rounds."""
        return learning_rate(self.settings, step, self.epoch_steps, self.total_steps)

    def losses(self, batch: Sample, step: int) -> dict[str, Tensor]:
        """L_seg, and L_corr where it is part of the loss."""
        size = self.settings.cropping.crop
        images = normalise(see_cuts(batch, size, "images")["images"])
        labels = see_labels(batch, size)
        slots = torch.arange(1, self.settings.objects + 1, device=labels.device).view(-1, 1, 1)
        masks = (labels[:, :, None] == slots).float()
        with autocast(self.device, self.precision):
            segmentation = segmentation_loss(self.module, images, masks, labels, batch["valid"], self.settings)
            if not uses_correspondence(self.settings, self.correspondence):
                return {"loss": segmentation, "segmentation": segmentation}
            pairs = {name.removeprefix(PREFIX): value for name, value in batch.items() if name.startswith(PREFIX)}
            pairs = see_cuts(pairs, size, "frames")
            parts = correspondence_losses(self.module.encoder, pairs, self.correspondence)
        weights = self.settings.correspondence_weights(self.correspondence.regime)
        total = sum((weight * parts[name] for name, weight in weights.items()), segmentation)
        return {"loss": total, "segmentation": segmentation, **parts}

    def after_step(self, step: int) -> None:
        """Nothing follows the optimiser."""


def uses_correspondence(settings: Segmentation, correspondence: Correspondence) -> bool:
    """Whether L_corr, the regime's losses, is part of the loss: E learns and a weight is not zero."""
    return settings.encoder_rate > 0 and any(settings.correspondence_weights(correspondence.regime).values())
