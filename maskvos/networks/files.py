"""Networks to and from weights folders (``model.safetensors``)."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from maskvos.errors import UserError
from maskvos.networks.encoder import VisualEncoder
from maskvos.networks.model import MaskVOS
from maskvos.params.method import Networks
from maskvos.storage.weights import load_weights, save_weights

FILE = "model.safetensors"


def save_network(folder: Path | str, network: nn.Module, kind: str, networks: Networks, **extra: Any) -> None:
    """Write ``folder/model.safetensors``; ``kind`` is `backbone`, `encoder` or `model`."""
    description = {"kind": kind, "networks": networks.model_dump(), **extra}
    save_weights(Path(folder) / FILE, network.state_dict(), description)


def untrained_encoder(networks: Networks, seed: int) -> VisualEncoder:
    """E with its random initial weights, the same for the same seed; the caller's random state is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return VisualEncoder(networks)


def load_encoder(folder: Path | str, networks: Networks, seed: int = 0) -> VisualEncoder:
    """E from the DINO stage, from correspondence pretraining or from a whole model.

    The DINO stage knows only the trunk: the head then stays at its initial weights for ``seed``, and layers above
    ``networks.last_layer`` are left behind.

    Raises:
        UserError: the file is absent, damaged, foreign, or of another architecture.
    """
    path = Path(folder) / FILE
    tensors, description = load_weights(path)
    kind = description.get("kind")
    encoder = untrained_encoder(networks, seed)
    if kind == "model":
        tensors = {
            name.removeprefix("encoder."): value for name, value in tensors.items() if name.startswith("encoder.")
        }
        _fill(encoder, tensors, path)
    elif kind == "encoder":
        _fill(encoder, tensors, path)
    elif kind == "backbone":
        kept = isinstance(encoder.trunk.layer4, nn.Identity)
        _fill(encoder.trunk, {n: v for n, v in tensors.items() if not (kept and n.startswith("layer4."))}, path)
    else:
        raise UserError(f"{path}: holds {kind!r}, expected backbone, encoder or model weights.")
    return encoder


def load_model(folder: Path | str, networks: Networks) -> MaskVOS:
    """The whole model.

    Raises:
        UserError: the file is absent, damaged, foreign, or of another architecture.
    """
    path = Path(folder) / FILE
    tensors, description = load_weights(path)
    if description.get("kind") != "model":
        raise UserError(
            f"{path}: holds {description.get('kind')!r}; the full method needs the weights of a segment round."
        )
    model = MaskVOS(networks)
    _fill(model, tensors, path)
    return model


def _fill(network: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    own = network.state_dict()
    missing = sorted(own.keys() - tensors.keys())
    foreign = sorted(tensors.keys() - own.keys())
    wrong = [name for name in own.keys() & tensors.keys() if own[name].shape != tensors[name].shape]
    if missing or foreign or wrong:
        named = ", ".join([*missing[:2], *foreign[:2], *sorted(wrong)[:2]])
        raise UserError(
            f"{path}: these weights are of another architecture ({len(missing)} tensors missing, {len(foreign)} not "
            f"known, {len(wrong)} of another shape, such as {named}). "
            "Set the networks parameters that they were trained with."
        )
    network.load_state_dict(tensors)
