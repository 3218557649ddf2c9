"""The correspondence stage as a task of the training loop; its losses also join the segmentation stage (Eq. 16)."""

import torch
from torch import Tensor

from maskvos.learning.correspondence import long_term_loss, short_term_loss
from maskvos.learning.transforms import Phi
from maskvos.networks.encoder import VisualEncoder
from maskvos.networks.images import normalise
from maskvos.params.method import Correspondence
from maskvos.training.device import autocast, place
from maskvos.training.optimiser import adam, parameter_groups
from maskvos.training.order import Sample
from maskvos.training.schedule import learning_rate


def correspondence_losses(
    encoder: VisualEncoder, frames: Tensor, zoom: Tensor, zoom_flip: Tensor, settings: Correspondence
) -> dict[str, Tensor]:
    """L_short and L_long of one batch (Eq. 11 to 15).

    Args:
        encoder: E, in training mode.
        frames: (B, 3, 3, S, S) uint8 in the order t, t+1, t'.
        zoom: (B, 3) top, left, side of Phi. zoom_flip: (B,) bool.
        settings: temperature, negatives.
    """
    phi = Phi(zoom[:, 0], zoom[:, 1], zoom[:, 2], zoom_flip)
    first, second, distant = normalise(frames).unbind(dim=1)
    batch = torch.cat([phi.of_maps(first), second, phi.of_maps(distant), distant])
    moved_first, whole_second, moved_distant, whole_distant = encoder(batch).key.chunk(4)
    options = settings.temperature, settings.negatives
    short = short_term_loss(phi.of_features(whole_second), moved_first, *options)
    long, _ = long_term_loss(phi.of_features(whole_distant), moved_distant, whole_second, *options)
    return {"short": short, "long": long}


class CorrespondenceTask:
    """L = short_weight L_short + long_weight L_long on E (paper 3.2, 3.3)."""

    gradient_clip = 0.0

    def __init__(
        self, encoder: VisualEncoder, settings: Correspondence, precision: str, epoch_steps: int, device: torch.device
    ) -> None:
        self.module = place(encoder, device).train()
        self.settings, self.precision, self.device = settings, precision, device
        self.epoch_steps, self.total_steps = epoch_steps, settings.epochs * epoch_steps
        self.optimiser = adam(parameter_groups(encoder, settings.weight_decay))

    def rate(self, step: int) -> float:
        """Learning rate of the step."""
        return learning_rate(self.settings, step, self.epoch_steps, self.total_steps)

    def losses(self, batch: Sample, step: int) -> dict[str, Tensor]:
        """The weighted sum and its parts."""
        with autocast(self.device, self.precision):
            parts = correspondence_losses(
                self.module, batch["frames"], batch["zoom"], batch["zoom_flip"], self.settings
            )
        total = self.settings.short_weight * parts["short"] + self.settings.long_weight * parts["long"]
        return {"loss": total, **parts}

    def after_step(self, step: int) -> None:
        """Nothing follows the optimiser."""
