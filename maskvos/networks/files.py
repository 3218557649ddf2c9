"""Networks to and from weights folders (``model.safetensors``), or single files of that format."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from maskvos import __version__
from maskvos.errors import UserError
from maskvos.networks.encoder import VisualEncoder
from maskvos.networks.model import MaskVOS
from maskvos.params.method import Networks
from maskvos.storage.descriptions import FILE, read_description, weights_file
from maskvos.storage.weights import load_weights, save_weights


def save_network(folder: Path | str, network: nn.Module, kind: str, networks: Networks, **extra: Any) -> None:
    """Write ``folder/model.safetensors``; ``kind`` is `backbone`, `encoder` or `model`."""
    description = {"kind": kind, "networks": networks.model_dump(), "maskvos": __version__, **extra}
    save_weights(Path(folder) / FILE, network.state_dict(), description)


def new_file(path: Path | str) -> Path:
    """The same for a file to be written.

    Raises:
        UserError: it is there already: weights are dear, and never replaced by a conversion.
    """
    path = weights_file(path)
    if path.exists():
        raise UserError(f"{path}: there already, and may be other weights. Remove it, or name another --output.")
    return path


def stored_networks(path: Path | str) -> tuple[str, Networks]:
    """Kind and networks of the weights of a stage, as the file itself describes them.

    Raises:
        UserError: the file is absent, damaged or foreign, or holds no network of a stage.
    """
    path = weights_file(path)
    description = read_description(path)
    kind = description.get("kind")
    if kind not in ("backbone", "encoder", "model"):
        raise UserError(f"{path}: holds {kind!r}, expected backbone, encoder or model weights.")
    try:
        return kind, Networks.model_validate(description.get("networks"))
    except ValidationError as error:
        raise UserError(
            f"{path}: the networks in its description cannot be built ({error.error_count()} fields are wrong or "
            "missing). Read the file with the version of maskvos that wrote it."
        ) from error


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
    path = weights_file(folder)
    tensors, description = load_weights(path)
    kind = description.get("kind")
    encoder = untrained_encoder(networks, seed)
    if kind == "model":
        tensors = {
            name.removeprefix("encoder."): value for name, value in tensors.items() if name.startswith("encoder.")
        }
        fill(encoder, tensors, path)
    elif kind == "encoder":
        fill(encoder, tensors, path)
    elif kind == "backbone":
        kept = isinstance(encoder.trunk.layer4, nn.Identity)
        fill(encoder.trunk, {n: v for n, v in tensors.items() if not (kept and n.startswith("layer4."))}, path)
    else:
        raise UserError(f"{path}: holds {kind!r}, expected backbone, encoder or model weights.")
    return encoder


def load_model(folder: Path | str, networks: Networks) -> MaskVOS:
    """The whole model; its D is residual where the file has that D's weight of the mask.

    Raises:
        UserError: the file is absent, damaged, foreign, or of another architecture.
    """
    path = weights_file(folder)
    tensors, description = load_weights(path)
    if description.get("kind") != "model":
        raise UserError(
            f"{path}: holds {description.get('kind')!r}; the full method needs the weights of a segment round."
        )
    model = MaskVOS(networks, residual_decoder="decoder.mask_weight" in tensors)
    fill(model, tensors, path)
    return model


def fill(network: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    """Give ``network`` the tensors of the file at ``path``.

    Raises:
        UserError: one is missing, not known, of another shape, or holds what is not a finite number.
    """
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
    check_finite(tensors, path)
    network.load_state_dict(tensors)


def check_finite(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Raises:
    UserError: a tensor holds NaN or infinity; names it.
    """
    bad = sorted(name for name, value in tensors.items() if not value.isfinite().all())
    if bad:
        raise UserError(
            f"{path}: {len(bad)} tensors hold NaN or infinity, such as {bad[0]}: the training diverged or the file is "
            "damaged. Train again with a lower learning rate, or fetch the file again."
        )
