"""DINO (Caron et al., ICCV 2021; reference [74] of the paper): self-distillation of the plain trunk."""

import copy
import math

import torch
from torch import Tensor, nn

from maskvos.learning.dino_head import DinoHead
from maskvos.networks.trunk import Trunk
from maskvos.params.method import BackbonePretraining, Networks


def teacher_momentum(start: float, step: int, total_steps: int) -> float:
    """Momentum of the teacher at a step of the run: from ``start`` to 1 along half a cosine."""
    return 1 - (1 - start) * (1 + math.cos(math.pi * step / total_steps)) / 2


class DinoLoss(nn.Module):
    """Cross-entropy between the centred, sharpened teacher and the student, over all pairs of different crops.

    The centre is a running mean of the teacher's outputs; what a call sees of it comes from the calls before.
    """

    centre: Tensor

    def __init__(self, prototypes: int, student: float, teacher: float, momentum: float) -> None:
        super().__init__()
        self.student_temperature, self.teacher_temperature, self.momentum = student, teacher, momentum
        self.register_buffer("centre", torch.zeros(prototypes))

    def forward(self, student: Tensor, teacher: Tensor) -> dict[str, Tensor]:
        """Loss of one batch; the centre moves.

        Args:
            student: (V, B, P) outputs for all crops, the global ones first.
            teacher: (G, B, P) outputs for the global crops, in the same order; V > 1, G <= V.

        Returns:
            ``loss``; ``teacher_entropy``, the mean entropy of the teacher's distributions; ``batch_entropy``, the
            entropy of their mean. Both near ln P: collapse to the uniform output; both near 0: to one prototype.
        """
        globals_, crops = len(teacher), len(student)
        target = ((teacher.detach() - self.centre) / self.teacher_temperature).softmax(dim=-1)
        guess = (student / self.student_temperature).log_softmax(dim=-1)
        others = guess.sum(dim=0) - guess[:globals_]  # for each of the teacher's crops, the sum over the other crops
        loss = -(target * others).sum(dim=-1).mean() / (crops - 1)
        self.centre.lerp_(teacher.detach().mean(dim=(0, 1)), 1 - self.momentum)
        return {
            "loss": loss,
            "teacher_entropy": _entropy(target).mean(),
            "batch_entropy": _entropy(target.mean(dim=(0, 1))),
        }


def _entropy(probabilities: Tensor) -> Tensor:
    return torch.special.entr(probabilities).sum(dim=-1)


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
    """Student, teacher and centre.

    As in DINO's own code only parameters are averaged: the teacher's BatchNorm normalises with the batch at hand and
    keeps running statistics of its own.
    """

    def __init__(self, networks: Networks, settings: BackbonePretraining) -> None:
        super().__init__()
        self.student = Branch(networks, settings)
        self.teacher = copy.deepcopy(self.student).requires_grad_(False)
        temperatures = (settings.student_temperature, settings.teacher_temperature)
        self.criterion = DinoLoss(settings.prototypes, *temperatures, settings.centre_momentum)

    def forward(self, global_crops: Tensor, local_crops: Tensor | None, freeze: bool) -> dict[str, Tensor]:
        """Losses of one batch (`DinoLoss`).

        Args:
            global_crops: (B, G, 3, S, S) normalised; teacher and student see them.
            local_crops: (B, L, 3, s, s) normalised, for the student alone; or none.
            freeze: keep the student's last layer as it is.
        """
        with torch.no_grad():
            teacher = self.teacher(global_crops)
        student = self.student(global_crops, freeze)
        if local_crops is not None:
            student = torch.cat([student, self.student(local_crops, freeze)])
        losses: dict[str, Tensor] = self.criterion(student, teacher)
        return losses

    @torch.no_grad()
    def move_teacher(self, momentum: float) -> None:
        """teacher = momentum * teacher + (1 - momentum) * student, parameter by parameter."""
        for slow, fast in zip(self.teacher.parameters(), self.student.parameters(), strict=True):
            slow.lerp_(fast, 1 - momentum)
