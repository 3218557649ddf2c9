"""Weights into one of the two methods: the full one, or label propagation along what an encoder finds."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from maskvos.errors import UserError
from maskvos.inference.features import converted_features, encoder_keys, trunk_features
from maskvos.inference.methods import LabelPropagation, MaskEmbedding, Method
from maskvos.networks.features import KIND, load_features
from maskvos.networks.files import load_encoder, load_model, stored_networks
from maskvos.params.inference import Tracking
from maskvos.storage.descriptions import read_description, weights_file
from maskvos.training.device import place, used_precision

MethodName = Literal["full", "propagation"]


@dataclass(frozen=True)
class LoadedMethod:
    """A method, its name, the precision it runs in and what the weights' file says of itself."""

    method: Method
    name: MethodName
    precision: str
    description: Mapping[str, Any]


def load_method(weights: Path, wanted: MethodName | None, settings: Tracking, device: torch.device) -> LoadedMethod:
    """The wanted method, else the one that the weights were made for: a model's is the full one.

    Raises:
        UserError: the weights cannot be used, or are those of an encoder where the full method is wanted.
    """
    precision, beside = used_precision(device, "auto"), settings.early_weights
    path = weights_file(weights)
    description = read_description(path)
    kind = description.get("kind")
    if wanted == "full" and kind != "model":
        raise UserError(
            f"--method full: {path} holds the weights of kind {kind}, which copies labels only. Name those of a model "
            "(artifacts/rounds/.../weights), or use --method propagation."
        )
    if kind == KIND:
        network = place(load_features(path), device)
        converted = LabelPropagation(converted_features(network, precision, *beside), network.stride)
        return LoadedMethod(converted, "propagation", precision, description)
    kind, networks = stored_networks(path)
    if kind == "model" and wanted != "propagation":
        model = place(load_model(path, networks), device)
        full = MaskEmbedding.from_settings(model, settings, precision)
        return LoadedMethod(full, "full", precision, description)
    encoder = place(load_encoder(path, networks), device)
    features = (trunk_features if kind == "backbone" else encoder_keys)(encoder, precision, *beside)
    return LoadedMethod(LabelPropagation(features), "propagation", precision, description)
