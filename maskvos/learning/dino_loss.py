"""The loss of DINO (Caron et al., ICCV 2021), the teacher balanced by its centre or by Sinkhorn-Knopp."""

import torch
from torch import Tensor, nn

from maskvos.learning.sinkhorn import sinkhorn
from maskvos.parallel.collectives import average


class DinoLoss(nn.Module):
    """Cross-entropy between the balanced, sharpened teacher and the student, over all pairs of different crops.

    The teacher is balanced by its centre, a running mean of its outputs, of which a call sees what the calls before
    left; or by Sinkhorn-Knopp over all global crops of the batch (as DINOv2 does), which needs no centre and leaves it.

    Args:
        prototypes: P, number of outputs.
        temperature: of the student.
        momentum: of the centre.
        iterations: of Sinkhorn-Knopp, 0 for the centre.
    """

    centre: Tensor

    def __init__(self, prototypes: int, temperature: float, momentum: float, iterations: int = 0) -> None:
        super().__init__()
        self.student_temperature, self.momentum, self.iterations = temperature, momentum, iterations
        self.register_buffer("centre", torch.zeros(prototypes))

    def forward(self, student: Tensor, teacher: Tensor, temperature: float) -> dict[str, Tensor]:
        """Loss of one batch; the centre moves. Centre, Sinkhorn-Knopp and ``batch_entropy`` see it over all processes.

        Args:
            student: (V, B, P) outputs for all crops, the global ones first.
            teacher: (G, B, P) outputs for the global crops, in the same order; V > 1, G <= V.
            temperature: of the teacher.

        Returns:
            ``loss``; ``teacher_entropy``, the mean entropy of the teacher's distributions; ``batch_entropy``, the
            entropy of their mean; ``information``, the difference: what the prototype tells about the image, in nats.
            Both entropies near ln P: collapse to the uniform output; both near 0: to one prototype; the information is
            near 0 in either.
        """
        globals_, crops = len(teacher), len(student)
        target = self._target(teacher.detach(), temperature)
        guess = (student / self.student_temperature).log_softmax(dim=-1)
        others = guess.sum(dim=0) - guess[:globals_]  # for each of the teacher's crops, the sum over the other crops
        loss = -(target * others).sum(dim=-1).mean() / (crops - 1)
        each, batch = _entropy(target).mean(), _entropy(average(target.mean(dim=(0, 1))))
        return {"loss": loss, "teacher_entropy": each, "batch_entropy": batch, "information": batch - each}

    def _target(self, teacher: Tensor, temperature: float) -> Tensor:
        """The teacher's distributions (G, B, P); without Sinkhorn-Knopp the centre moves afterwards."""
        if self.iterations:
            return sinkhorn(teacher.flatten(0, 1) / temperature, self.iterations).view_as(teacher)
        target = ((teacher - self.centre) / temperature).softmax(dim=-1)
        self.centre.lerp_(average(teacher.mean(dim=(0, 1))), 1 - self.momentum)
        return target


def _entropy(probabilities: Tensor) -> Tensor:
    return torch.special.entr(probabilities).sum(dim=-1)
