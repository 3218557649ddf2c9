"""The correspondence stage as a task of the training loop."""

import torch
from torch import Tensor

from maskvos.networks.encoder import VisualEncoder
from maskvos.params.method import Correspondence
from maskvos.training.batch_cropping import see_cuts
from maskvos.training.collapse import FeatureSample
from maskvos.training.device import autocast, place
from maskvos.training.optimiser import adam, parameter_groups
from maskvos.training.order import Sample
from maskvos.training.regimes import correspondence_losses
from maskvos.training.schedule import learning_rate


class CorrespondenceTask:
    """The regime's weighted losses on E; the paper's are short_weight L_short + long_weight L_long (3.2, 3.3)."""

    gradient_clip = 0.0
    partial_gradients = False

    def __init__(
        self, encoder: VisualEncoder, settings: Correspondence, precision: str, epoch_steps: int, device: torch.device
    ) -> None:
        self.module = place(encoder, device).train()
        self.features = FeatureSample(encoder, lambda features: features.key)
        self.settings, self.precision, self.device = settings, precision, device
        self.epoch_steps, self.total_steps = epoch_steps, settings.epochs * epoch_steps
        self.optimiser = adam(parameter_groups(encoder, settings.weight_decay))

    def rate(self, step: int) -> float:
        """Learning rate of the step."""
        return learning_rate(self.settings, step, self.epoch_steps, self.total_steps)

    def losses(self, batch: Sample, step: int) -> dict[str, Tensor]:
        """The weighted sum and its parts."""
        batch = see_cuts(batch, self.settings.cropping.crop, "frames")
        with autocast(self.device, self.precision):
            parts = correspondence_losses(self.module, batch, self.settings)
        weighted = [weight * parts[name] for name, weight in self.settings.weights.items()]
        return {"loss": sum(weighted[1:], weighted[0]), **parts}

    def after_step(self, step: int) -> None:
        """Nothing follows the optimiser."""
