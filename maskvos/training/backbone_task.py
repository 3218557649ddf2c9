"""The DINO stage as a task of the training loop."""

import torch
from torch import Tensor, nn

from maskvos.learning.dino import Dino, teacher_momentum, teacher_temperature
from maskvos.networks.images import normalise
from maskvos.networks.trunk import Trunk
from maskvos.params.method import BackbonePretraining, Networks
from maskvos.training.collapse import FeatureSample
from maskvos.training.device import autocast, place
from maskvos.training.optimiser import parameter_groups
from maskvos.training.order import Sample
from maskvos.training.schedule import learning_rate

REFERENCE_BATCH = 256  # the images that `learning_rate` is meant for


class BackboneTask:
    """SGD on the student, a momentum step of the teacher after each.

    Args:
        networks: the backbone.
        settings: of the stage.
        seed: of the initial weights.
        precision: of convolutions, `fp32` or `bf16`.
        epoch_steps: steps of one epoch.
        device: that everything lives on.
    """

    def __init__(
        self,
        networks: Networks,
        settings: BackbonePretraining,
        seed: int,
        precision: str,
        epoch_steps: int,
        device: torch.device,
    ) -> None:
        self._settings, self._precision, self._device = settings, precision, device
        self._epoch_steps, self.total_steps = epoch_steps, settings.epochs * epoch_steps
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._dino = place(Dino(networks, settings), device)
        self.module: nn.Module = self._dino
        # The student, because its teacher follows; places of the trunk, because they are what the stage is for.
        self.features = FeatureSample(self._dino.student.trunk, lambda maps: maps.last)
        groups = parameter_groups(self._dino.student, settings.weight_decay)
        self.optimiser: torch.optim.Optimizer = torch.optim.SGD(groups, lr=0.0, momentum=settings.momentum)
        self.gradient_clip = settings.gradient_clip
        self.partial_gradients = settings.freeze_last_layer_epochs > 0

    def rate(self, step: int) -> float:
        """Learning rate, proportional to the batch."""
        scale = self._settings.batch / REFERENCE_BATCH
        return scale * learning_rate(self._settings, step, self._epoch_steps, self.total_steps)

    def losses(self, batch: Sample, step: int) -> dict[str, Tensor]:
        """`DinoLoss` of a collated batch of `MultiCrop`."""
        local_crops = normalise(batch["local_crops"]) if "local_crops" in batch else None
        freeze = step < self._settings.freeze_last_layer_epochs * self._epoch_steps
        temperature = teacher_temperature(self._settings, step // self._epoch_steps)
        with autocast(self._device, self._precision):
            losses: dict[str, Tensor] = self._dino(normalise(batch["global_crops"]), local_crops, freeze, temperature)
        return losses

    @property
    def trunk(self) -> Trunk:
        """The teacher's trunk, what the stage is for."""
        return self._dino.teacher.trunk

    def after_step(self, step: int) -> None:
        """The teacher follows."""
        self._dino.move_teacher(teacher_momentum(self._settings.teacher_momentum, step, self.total_steps))
