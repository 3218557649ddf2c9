"""Whole frames of a clip to the features that are clustered."""

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor

from maskvos.networks.encoder import VisualEncoder
from maskvos.networks.images import normalise
from maskvos.storage.frames import Clip, FrameStore

STRIDE = 8  # of E
BATCH = 16  # frames; a constant, because the number of images in a batch may decide a convolution's last bits


def grid_size(height: int, width: int, short_side: int) -> tuple[int, int]:
    """Height and width to resize to: the short side near ``short_side``, both the nearest multiples of the stride.

    The frame is resized whole, so a place in the frame and in the grid is the same fraction of its sides.
    """
    scale = short_side / min(height, width)
    rounded = [max(1, round(side * scale / STRIDE)) * STRIDE for side in (height, width)]
    return rounded[0], rounded[1]


def read_clip(store: FrameStore, clip: Clip, short_side: int) -> Tensor:
    """All frames of a clip, resized with antialiased bilinear filtering: (T, 3, H, W) uint8."""
    size = grid_size(clip.height, clip.width, short_side)
    frames = []
    for index in range(clip.start, clip.start + len(clip.frames)):
        frame = torch.from_numpy(store.read(index)).permute(2, 0, 1)[None]
        if frame.shape[-2:] != size:
            frame = functional.interpolate(frame, size, mode="bilinear", antialias=True)
        frames.append(frame)
    return torch.cat(frames).contiguous()


@torch.inference_mode()
def encode_clip(
    encoder: VisualEncoder, images: Tensor, trunk: bool, device: torch.device, border: int = 0
) -> np.ndarray:
    """Features at stride 8 of a clip's frames: (T, H/8, W/8, D) float32, on the CPU.

    Args:
        encoder: E, in evaluation mode, on ``device``.
        images: (T, 3, H, W) uint8, H and W multiples of 8.
        trunk: the trunk's last map instead of the head's embedding.
        device: where E is. The caller sets autocast around this call.
        border: pixels, a multiple of 8, by which frames are mirrored outwards for E. Its zero padding otherwise marks
            the cells along a frame's border, and where nothing stronger tells cells apart they become clusters.
    """
    maps = []
    cells = border // STRIDE
    for batch in images.split(BATCH):
        frames = functional.pad(normalise(batch.to(device, non_blocking=True)), [border] * 4, mode="reflect")
        features = encoder(frames)
        chosen = (features.trunk if trunk else features.key).float()
        height, width = (side - cells for side in chosen.shape[-2:])
        maps.append(chosen[..., cells:height, cells:width].permute(0, 2, 3, 1).cpu())
    stacked: np.ndarray = torch.cat(maps).contiguous().numpy()
    return stacked
