"""What a round of segmentation learning starts from."""

from pathlib import Path

import torch

from maskvos.networks.files import load_encoder, load_model
from maskvos.networks.model import MaskVOS
from maskvos.params.method import Networks
from maskvos.storage.descriptions import FILE, read_description


def starting_model(folder: Path, networks: Networks, mask_encoder_start: str, seed: int) -> MaskVOS:
    """The model of the round before; in round 0 the pretrained E, with V and D at their start.

    Args:
        folder: weights of the round before, or of the correspondence stage.
        networks: architecture.
        mask_encoder_start: `encoder`, V takes E's trunk with the mask's channel at zero; `random`.
        seed: of the initial weights of what is not pretrained.

    Raises:
        UserError: absent, damaged or foreign weights.
    """
    if read_description(folder / FILE).get("kind") == "model":
        return load_model(folder, networks)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = MaskVOS(networks)
    model.encoder.load_state_dict(load_encoder(folder, networks).state_dict())
    if mask_encoder_start == "encoder":
        model.mask_encoder.start_from(model.encoder)
    return model
