"""Weights as safetensors: named tensors and a JSON description, never a pickle (docs/weights.md)."""

import errno
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from maskvos import __version__
from maskvos.errors import UserError
from maskvos.storage.atomic import atomic_file

FORMAT = "maskvos-2"
# maskvos-1 is the same without `training`, `maskvos`, `commit` and `licence`.
READABLE = ("maskvos-1", FORMAT)


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
        if _is_pickle(path):
            raise UserError(
                f"{path}: a pickle of PyTorch, expected safetensors; maskvos never executes pickles. "
                "Use `maskvos convert`, which reads the tensors of the checkpoints that it knows."
            ) from error
        raise UserError(
            f"{path}: not a readable safetensors file ({error}). It is damaged or of another format; make it again."
        ) from error


def _is_pickle(path: Path) -> bool:
    """Whether the file starts as torch.save's do: a ZIP archive, or a pickle of protocol 2 and above."""
    with path.open("rb") as file:
        start = file.read(4)
    return start == b"PK\x03\x04" or (start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"))


def _describe(file: Any, path: Path) -> dict[str, Any]:
    metadata = file.metadata() or {}
    if "maskvos" not in metadata:
        raise UserError(
            f"{path}: these weights were not written by maskvos (no description). "
            "Name weights of a stage, or convert a checkpoint with `maskvos convert`."
        )
    try:
        description = json.loads(metadata["maskvos"])
    except ValueError as error:
        raise UserError(f"{path}: the description is not JSON ({error}). Make the file again.") from error
    found = description.get("format") if isinstance(description, dict) else None
    if found not in READABLE:
        raise UserError(
            f"{path}: weights format {found!r}, this maskvos {__version__} reads {' and '.join(map(repr, READABLE))}. "
            "Read the file with the version of maskvos that wrote it, or make it again."
        )
    return dict(description)
