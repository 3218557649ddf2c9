"""Weights as safetensors: named tensors and a JSON description, never a pickle (docs/weights.md)."""

import errno
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from maskvos.storage.atomic import atomic_file
from maskvos.storage.descriptions import FORMAT, describe, open_weights


def save_weights(path: Path | str, tensors: Mapping[str, torch.Tensor], description: Mapping[str, Any]) -> None:
    """Write tensors and a JSON description atomically; the same input gives the same bytes.

    Raises:
        UserError: the disk is full or the folder cannot be written.
    """
    plain = {name: tensors[name].detach().cpu().contiguous().clone() for name in sorted(tensors)}
    # safetensors writes metadata in hash order; a single entry keeps the bytes reproducible.
    metadata = {"maskvos": json.dumps({"format": FORMAT, **description}, sort_keys=True)}
    with atomic_file(path) as partial:
        try:
            save_file(plain, partial, metadata=metadata)
        except SafetensorError as error:  # nothing but writing can fail here
            raise OSError(errno.EIO, str(error)) from error


def load_weights(path: Path | str) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """All tensors (on the CPU) and the description.

    Raises:
        UserError: the file is absent, damaged, or was not written by maskvos.
    """
    path = Path(path)
    with open_weights(path, "pt") as file:
        description = describe(file, path)
        return {name: file.get_tensor(name) for name in file.keys()}, description  # noqa: SIM118
