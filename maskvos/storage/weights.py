"""Weights as safetensors: named tensors and a small JSON description, never a pickle."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from maskvos.errors import UserError
from maskvos.storage.atomic import atomic_file

FORMAT = "maskvos-1"


def save_weights(path: Path | str, tensors: Mapping[str, torch.Tensor], description: Mapping[str, Any]) -> None:
    """Write tensors and a JSON description atomically; the same input gives the same bytes."""
    plain = {name: tensors[name].detach().cpu().contiguous().clone() for name in sorted(tensors)}
    # safetensors writes metadata in hash order; a single entry keeps the bytes reproducible.
    metadata = {"maskvos": json.dumps({"format": FORMAT, **description}, sort_keys=True)}
    with atomic_file(path) as partial:
        save_file(plain, partial, metadata=metadata)


def read_description(path: Path | str) -> dict[str, Any]:
    """The JSON description that ``save_weights`` stored.

    Raises:
        UserError: the file is absent, damaged, or was not written by maskvos.
    """
    with _open(Path(path)) as file:
        return _describe(file, Path(path))


def load_weights(path: Path | str) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """All tensors (on the CPU) and the description.

    Raises:
        UserError: the file is absent, damaged, or was not written by maskvos.
    """
    path = Path(path)
    with _open(path) as file:
        description = _describe(file, path)
        return {name: file.get_tensor(name) for name in file.keys()}, description  # noqa: SIM118


def _open(path: Path) -> Any:
    if not path.is_file():
        raise UserError(f"{path}: no such weights file. Run the stage that makes it, or name another file.")
    try:
        return safe_open(path, framework="pt")
    except (SafetensorError, OSError) as error:
        raise UserError(
            f"{path}: not a readable safetensors file ({error}). It is damaged or of another format; make it again."
        ) from error


def _describe(file: Any, path: Path) -> dict[str, Any]:
    metadata = file.metadata() or {}
    if "maskvos" not in metadata:
        raise UserError(f"{path}: these weights were not written by maskvos (no description). Convert them first.")
    description: dict[str, Any] = json.loads(metadata["maskvos"])
    if description.get("format") != FORMAT:
        raise UserError(f"{path}: weights format {description.get('format')!r}, expected {FORMAT!r}.")
    return description
