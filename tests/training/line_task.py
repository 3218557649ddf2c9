"""The smallest task of the training loop: a line through a few points."""

import os
import signal
from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

from maskvos.training.checkpoints import Checkpoints
from maskvos.training.collapse import FeatureSample
from maskvos.training.loop import train
from maskvos.training.order import Samples
from tests.tiny import collapse, runtime

SETTINGS = SimpleNamespace(log_every=4, checkpoint_every=3)
ANYTHING = collapse(max_similarity=1.0, min_effective_rank=1.0)  # features of one number each would be stopped


def make(item, generator, _step):
    return {"x": generator.standard_normal(3).astype(np.float32), "y": np.float32(item)}


def as_maps(output):
    return output[:, :, None, None]


class LineTask:
    """Least squares with SGD and a shadow that follows, as DINO's teacher does."""

    gradient_clip = 0.0
    partial_gradients = False

    def __init__(self, wrong_at=None, signal_at=None, stop_at=None):
        torch.manual_seed(0)
        self.module = nn.Linear(3, 1)
        self.module.register_buffer("shadow", torch.zeros(1, 3))
        self.optimiser = torch.optim.SGD(self.module.parameters(), lr=0.0, momentum=0.9)
        self.features = FeatureSample(self.module, as_maps)
        self.wrong_at, self.signal_at, self.stop_at, self.seen = wrong_at, signal_at, stop_at, []

    def rate(self, step):
        return 0.01 / (1 + step)

    def losses(self, batch, step):
        self.seen.append(step)
        if step == self.signal_at:
            os.kill(os.getpid(), signal.SIGTERM)
        if step == self.stop_at:
            raise InterruptedError
        error = (self.module(batch["x"])[:, 0] - batch["y"]).square().mean()
        return {"loss": error * (float("nan") if step == self.wrong_at else 1), "error": error.detach()}

    def after_step(self, step):
        self.module.shadow.lerp_(self.module.weight.detach(), 0.5)


def samples():
    return Samples(make, 6, 2, 0, "line")


def run(task, folder, *words, **changes):
    return run_whole(task, folder, *words, **changes).rows


def run_whole(task, folder, steps=range(11), settings=SETTINGS, **changes):
    return train(task, samples(), steps, Checkpoints(folder, "run"), runtime(**changes), settings, ANYTHING)
