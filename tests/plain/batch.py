"""A batch of the correspondence losses, and what the equations make of it."""

import torch

from tests.plain import equations
from tests.plain.networks import encode

HEIGHT, WIDTH = 16, 24
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's channels, as torchvision documents


def correspondence_batch():
    """Two clips of three frames t, t + 1, t' with a Phi each; the second is flipped."""
    generator = torch.Generator().manual_seed(4)
    return {
        "frames": torch.randint(0, 256, (2, 3, 3, HEIGHT, WIDTH), dtype=torch.uint8, generator=generator),
        "zoom": torch.tensor([[0.1, 0.3, 0.6], [0.25, 0.0, 0.7]]),
        "zoom_flip": torch.tensor([False, True]),
    }


def normalised(image):
    """(3, H, W) uint8 -> float64, each channel by itself."""
    channels = zip(image.double() / 255, MEAN, DEVIATION, strict=True)
    return torch.stack([(channel - mean) / deviation for channel, mean, deviation in channels])


def plain_correspondence(weights, batch, temperature, negatives):
    """L_short (Eq. 11, 12) and L_long (Eq. 13 to 15) in float64; the anchor of L_long is t + 1 (four passes of E)."""
    moved_first, second, moved_second, moved_distant, distant = [], [], [], [], []
    for frames, zoom, flip in zip(batch["frames"], batch["zoom"], batch["zoom_flip"], strict=True):
        one, two, far = (normalised(frame) for frame in frames)
        place = (*(float(number) for number in zoom), bool(flip))
        moved_first.append(encode(equations.phi(one, *place), weights)[0])  # X'_t = E(Phi(I_t))
        second.append(encode(two, weights)[0])  # E(I_{t+1})
        moved_second.append(equations.phi(second[-1], *place))  # X_{t+1} = Phi(E(I_{t+1}))
        moved_distant.append(encode(equations.phi(far, *place), weights)[0])  # X'_{t'} = E(Phi(I_{t'}))
        distant.append(equations.phi(encode(far, weights)[0], *place))  # X_{t'} = Phi(E(I_{t'}))
    assert equations.matches(moved_distant, second)[1] > 1e-4, "a match is too close to call"
    return {
        "short": equations.short_term_loss(moved_second, moved_first, temperature, negatives),
        "long": equations.long_term_loss(distant, moved_distant, second, temperature, negatives),
    }
