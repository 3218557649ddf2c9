"""What the trained stages begin with, in small."""

import torch

from maskvos.networks.files import save_network, untrained_encoder
from maskvos.networks.trunk import Trunk
from maskvos.storage.frames import FrameStore
from maskvos.storage.weights import save_weights
from tests.tiny import networks, write_frames


def write_inputs(folder, clips, frames):
    """Frames, DINO's and correspondence's weights, and pseudo masks: a band and a block, in every clip."""
    write_frames(folder / "frames", clips=clips, frames=frames)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        save_network(folder / "backbone", Trunk(networks(last_layer="layer4")), "backbone", networks())
    save_network(folder / "encoder", untrained_encoder(networks(), 1), "encoder", networks())
    labels = torch.zeros(frames, 6, 8, dtype=torch.uint8)
    labels[:, :3], labels[:, 3:, 4:] = 1, 2
    save_weights(folder / "masks.safetensors", {clip.name: labels for clip in FrameStore(folder / "frames").clips}, {})
    return folder
