"""What a round of segmentation learning starts from."""

from pathlib import Path

import torch

from maskvos.errors import UserError
from maskvos.networks.files import load_encoder, load_model
from maskvos.networks.model import MaskVOS
from maskvos.params.method import Networks, Segmentation
from maskvos.storage.descriptions import FILE, read_description


def starting_model(folder: Path, networks: Networks, settings: Segmentation, seed: int) -> MaskVOS:
    """The model of the round before; in round 0 the pretrained E, with V and D at their start.

    Args:
        folder: weights of the round before, or of the correspondence stage.
        networks: architecture.
        settings: of the stage; ``mask_encoder_start`` `encoder`: V takes E's trunk with the mask's channel at zero.
        seed: of the initial weights of what is not pretrained.

    Raises:
        UserError: absent, damaged or foreign weights, or those of a round with another ``residual_decoder``.
    """
    if read_description(folder / FILE).get("kind") == "model":
        model = load_model(folder, networks)
        if model.decoder.residual != settings.residual_decoder:
            raise UserError(
                f"{folder / FILE}: was trained with segmentation.residual_decoder "
                f"{str(model.decoder.residual).lower()}. Set it so, or begin with round 0."
            )
        return model
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = MaskVOS(networks, settings.residual_decoder)
    model.encoder.load_state_dict(load_encoder(folder, networks).state_dict())
    if settings.mask_encoder_start == "encoder":
        model.mask_encoder.start_from(model.encoder)
    return model
