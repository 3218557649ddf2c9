"""DINO (Caron et al., ICCV 2021; reference [74] of the paper): self-distillation of the plain trunk."""

import copy
import math

import torch
from torch import Tensor, nn

from maskvos.learning.dino_head import DinoHead
from maskvos.learning.dino_loss import DinoLoss
from maskvos.networks.trunk import Trunk
from maskvos.params.method import BackbonePretraining, Networks


def teacher_momentum(start: float, step: int, total_steps: int) -> float:
    """Momentum of the teacher at a step of the run: from ``start`` to 1 along half a cosine."""
    return 1 - (1 - start) * (1 + math.cos(math.pi * step / total_steps)) / 2


def teacher_temperature(settings: BackbonePretraining, epoch: int) -> float:
    """Temperature of the teacher: even steps from epoch to epoch over the warm-up, then constant.

    As in DINO's code the last epoch of the warm-up has the final value already.

    Args:
        settings: first and final temperature, epochs of the warm-up.
        epoch: 0 is the first.
    """
    start, final = settings.teacher_temperature_start, settings.teacher_temperature
    warmup = settings.teacher_temperature_warmup_epochs
    return final if epoch >= warmup else start + (final - start) * epoch / max(1, warmup - 1)


class Branch(nn.Module):
    """Plain stride-32 trunk, global average, head."""

    def __init__(self, networks: Networks, settings: BackbonePretraining) -> None:
        super().__init__()
        self.trunk = Trunk(networks, plain=True)
        sizes = (settings.head_hidden, settings.head_bottleneck, settings.prototypes)
        self.head = DinoHead(self.trunk.channels, *sizes)

    def forward(self, images: Tensor, freeze: bool = False) -> Tensor:
        """(B, V, 3, S, S) normalised crops -> (V, B, P)."""
        features = self.trunk(images.transpose(0, 1).flatten(0, 1)).last.mean(dim=(2, 3))
        return self.head(features, freeze).unflatten(0, (images.shape[1], images.shape[0]))


class Dino(nn.Module):
    """Student, teacher and loss.

    As in DINO's own code only parameters are averaged: the teacher's BatchNorm normalises with the batch at hand and
    keeps running statistics of its own.
    """

    def __init__(self, networks: Networks, settings: BackbonePretraining) -> None:
        super().__init__()
        self.student = Branch(networks, settings)
        self.teacher = copy.deepcopy(self.student).requires_grad_(False)
        self.criterion = DinoLoss(
            settings.prototypes,
            settings.student_temperature,
            settings.centre_momentum,
            settings.sinkhorn_iterations if settings.centring == "sinkhorn" else 0,
        )

    def forward(
        self, global_crops: Tensor, local_crops: Tensor | None, freeze: bool, temperature: float
    ) -> dict[str, Tensor]:
        """Losses of one batch (`DinoLoss`).

        Args:
            global_crops: (B, G, 3, S, S) normalised; teacher and student see them.
            local_crops: (B, L, 3, s, s) normalised, for the student alone; or none.
            freeze: keep the student's last layer as it is.
            temperature: of the teacher (`teacher_temperature`).
        """
        with torch.no_grad():
            teacher = self.teacher(global_crops)
        student = self.student(global_crops, freeze)
        if local_crops is not None:
            student = torch.cat([student, self.student(local_crops, freeze)])
        losses: dict[str, Tensor] = self.criterion(student, teacher, temperature)
        return losses

    @torch.no_grad()
    def move_teacher(self, momentum: float) -> None:
        """teacher = momentum * teacher + (1 - momentum) * student, parameter by parameter."""
        for slow, fast in zip(self.teacher.parameters(), self.student.parameters(), strict=True):
            slow.lerp_(fast, 1 - momentum)
