"""The rows of the results table: what turns a video and its first masks into masks of every frame."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from maskvos.errors import UserError
from maskvos.inference.beside import lab_patches
from maskvos.inference.features import (
    FeatureExtractor,
    converted_features,
    encoder_keys,
    trunk_features,
)
from maskvos.inference.propagate import Frames, Given, propagate_labels, segment_sequence
from maskvos.networks.features import load_features
from maskvos.networks.files import load_encoder, load_model, untrained_encoder
from maskvos.params.inference import Matching
from maskvos.training.device import place, used_precision

Masks = Iterator[tuple[str, np.ndarray]]
"""Frame names and masks (H, W) uint8 ids, in order."""
Row = Callable[[Frames, Given], Masks]

WITH_WEIGHTS = ("backbone", "correspondence", "external", "full")
WITHOUT_WEIGHTS = ("copy", "lab", "untrained")


def make_row(row: str, params: Any, weights: Path | None, device: torch.device, layout: str) -> Row:
    """The method of one row, with its weights loaded.

    Args:
        row: ``copy`` the first masks; label propagation with ``lab`` patches, with the keys of an ``untrained``
            encoder, with the trunk of the DINO ``backbone``, the keys of the ``correspondence`` encoder or those of an
            ``external`` network, a converted checkpoint; or the ``full`` method.
        params: sections ``seed``, ``precision``, ``networks`` and ``inference``.
        weights: folder (or file) of weights, for those rows that need one.
        layout: ``davis`` or ``youtubevos``, which decides the test resolution.

    Raises:
        UserError: the row or the layout is unknown, its weights are missing or do not fit, or weights are named that
            it does not use.
    """
    if row not in WITH_WEIGHTS + WITHOUT_WEIGHTS:
        raise UserError(f"row {row!r} is unknown. Use one of {', '.join(WITHOUT_WEIGHTS + WITH_WEIGHTS)}.")
    if (weights is not None) != (row in WITH_WEIGHTS):
        verb = (
            "needs --weights, the folder of a trained stage" if weights is None else "uses no weights, drop --weights"
        )
        raise UserError(f"row {row!r} {verb}.")
    if row == "copy":
        return copy_masks
    settings = params.inference.for_layout(layout)
    if row == "external":
        network = place(load_features(weights or ""), device)
        precision = used_precision(device, params.precision)
        features = converted_features(network, precision, *settings.early_weights)
        tracking = {"settings": settings, "device": device, "features": features, "stride": network.stride}
        return partial(_ids, propagate_labels, **tracking)
    if row == "full":
        model = place(load_model(weights or "", params.networks), device)
        precision = used_precision(device, params.precision)
        return partial(_ids, segment_sequence, settings=settings, device=device, model=model, precision=precision)
    features = _features(row, params, weights, device, settings)
    if row == "lab":  # the patches are the features
        settings = settings.model_copy(update={"lab_weight": 0.0})
    return partial(_ids, propagate_labels, settings=settings, device=device, features=features)


def copy_masks(frames: Frames, given: Given) -> Masks:
    """Every frame gets the masks that have been given so far: what a method must beat."""
    current: np.ndarray | None = None
    for name, image in frames:
        current = np.zeros(image.shape[:2], np.uint8) if current is None else current
        if name in given:
            current = np.where(given[name] > 0, given[name], current)
        yield name, current


def _features(
    row: str, params: Any, weights: Path | None, device: torch.device, settings: Matching
) -> FeatureExtractor:
    if row == "lab":
        return lab_patches
    precision, beside = used_precision(device, params.precision), settings.early_weights
    if row == "untrained":
        return encoder_keys(place(untrained_encoder(params.networks, params.seed), device), precision, *beside)
    encoder = place(load_encoder(weights or "", params.networks, params.seed), device)
    return (trunk_features if row == "backbone" else encoder_keys)(encoder, precision, *beside)


def _ids(method: Callable[..., Iterator[Any]], frames: Frames, given: Given, **arguments: Any) -> Masks:
    for prediction in method(frames, given, **arguments):
        yield prediction.frame, prediction.ids
