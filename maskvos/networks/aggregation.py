"""Several objects joined into one label map."""

import torch
import torch.nn.functional as functional
from torch import Tensor


def soft_aggregate(logits: Tensor) -> Tensor:
    """Soft aggregation of STM and STCN: background = product of (1 - p), then normalised odds over K+1 classes.

    With p = sigmoid(logit) the odds p / (1 - p) of an object are exp(logit), and the background's are exp of
    log b - log(1 - b), b = prod(1 - p). Worked out in logits it is stable for any size of logit.

    Args:
        logits: (B, K, H, W), one for each object.

    Returns:
        (B, K+1, H, W) log-probabilities, channel 0 the background; float32.
    """
    logits = logits.float()
    log_background = functional.logsigmoid(-logits).sum(dim=1, keepdim=True)  # log prod(1 - p)
    # 1 - exp(x) for x <= 0; clamped so that a background that is surely there gives a large finite logit.
    log_rest = torch.log(-torch.expm1(log_background.clamp_max(-1e-7)))
    return torch.cat([log_background - log_rest, logits], dim=1).log_softmax(dim=1)
