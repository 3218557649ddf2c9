"""What a weights file says of itself, read without torch (docs/weights.md)."""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from maskvos import __version__
from maskvos.errors import UserError

FILE = "model.safetensors"  # of a weights folder
FORMAT = "maskvos-2"
# maskvos-1 is the same without `training`, `maskvos`, `commit` and `licence`.
READABLE = ("maskvos-1", FORMAT)


def weights_file(path: Path | str) -> Path:
    """The file of a weights folder; a path to a ``.safetensors`` file is that file."""
    path = Path(path)
    return path if path.is_file() or path.suffix == ".safetensors" else path / FILE


def read_description(path: Path | str) -> dict[str, Any]:
    """The JSON description that ``save_weights`` stored.

    Raises:
        UserError: the file is absent, damaged, or was not written by maskvos.
    """
    with open_weights(Path(path)) as file:
        return describe(file, Path(path))


def open_weights(path: Path, framework: str = "np") -> Any:
    """The open file, tensors unread.

    Raises:
        UserError: it is absent, damaged or a pickle.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such weights file. Run the stage that makes it, or name another file.")
    try:
        return safe_open(path, framework=framework)
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


def describe(file: Any, path: Path) -> dict[str, Any]:
    """The description in an open file.

    Raises:
        UserError: there is none, or it is of a format that is not known.
    """
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
