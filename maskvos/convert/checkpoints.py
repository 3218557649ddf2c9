"""PyTorch checkpoints in, without executing what is pickled in them."""

import pickle
import re
import struct
from pathlib import Path
from typing import Any

import torch

from maskvos.errors import UserError


class StandIn:
    """Takes the place of an object that is no tensor: whatever it was made of is dropped, except a plain state."""

    def __new__(cls, *arguments: Any) -> "StandIn":
        """An empty one."""
        return super().__new__(cls)

    def __setstate__(self, state: Any) -> None:
        """Keep the fields of a plain object, such as the command line's options."""
        if isinstance(state, dict):
            self.__dict__.update(state)


_DAMAGED = (RuntimeError, EOFError, OSError, ValueError, KeyError, TypeError, AttributeError, IndexError)
_DAMAGED_OLD = (AssertionError, struct.error)  # in the form before 2020, which is no zip

# What the public checkpoints hold beside tensors and plain data: the options of CRW's and DINO's training scripts, the
# validation score of DUL's (a NumPy scalar). The names are given to the stand-in, so neither module's code runs.
_STAND_INS: list[Any] = [
    (StandIn, name)
    for name in (
        "argparse.Namespace",
        "numpy.core.multiarray.scalar",
        "numpy._core.multiarray.scalar",
        "numpy.dtype",
    )
]


def read_checkpoint(path: Path) -> Any:
    """What ``torch.save`` wrote, on the CPU; loaded with ``weights_only``, so nothing in it is executed.

    Raises:
        UserError: the file is absent, damaged, or asks for code to be run.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such checkpoint. Name the file as its authors publish it.")
    try:
        with torch.serialization.safe_globals(_STAND_INS):
            return torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, *_DAMAGED, *_DAMAGED_OLD) as error:
        refused = re.search(r"GLOBAL ([\w.]+)", str(error))
        if refused and isinstance(error, pickle.UnpicklingError):
            raise UserError(
                f"{path}: loading this checkpoint would execute {refused[1].rstrip('.')}, which maskvos never does. "
                "Keep only its tensors with the code of its authors, in a place where you trust it, and convert that."
            ) from error
        reason = str(error).split("WeightsUnpickler error: ")[-1].strip().split("\n")[0] or type(error).__name__
        raise UserError(
            f"{path}: not a readable PyTorch checkpoint ({reason[:120]}). Fetch it again and compare its checksum."
        ) from error
