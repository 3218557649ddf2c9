"""A tracker's state as one file, so that an interrupted video goes on with the very same numbers.

The file is a line of JSON and then the bytes of the memory's tensors one after the other. They are written and read
slot by slot: neither way needs a second copy of the memory, which safetensors does.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from maskvos.inference.memory import Group, ReferenceMemory
from maskvos.inference.propagate import Tracker
from maskvos.storage.atomic import atomic_file


def save_state(path: Path, memory: ReferenceMemory | None, header: dict[str, Any]) -> None:
    """Write a memory, if there is one yet, and plain data, atomically.

    Raises:
        UserError: the disk is full or the folder cannot be written.
    """
    tensors = {} if memory is None else _tensors(memory)
    described = {name: {"dtype": _name(value.dtype), "shape": list(value.shape)} for name, value in tensors.items()}
    groups = [] if memory is None else [asdict(group) for group in memory.groups]
    content = {**header, "tensors": described, "groups": groups, "count": memory.count if memory is not None else 0}
    with atomic_file(path) as partial, partial.open("wb") as file:
        file.write(json.dumps(content).encode() + b"\n")
        for tensor in tensors.values():
            for part in tensor:
                file.write(part.contiguous().cpu().flatten().view(torch.uint8).numpy().data)


def read_header(path: Path) -> dict[str, Any] | None:
    """The plain data of a state file, None where there is no file."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        header: dict[str, Any] = json.loads(file.readline())
    return header


def load_state(path: Path, tracker: Tracker) -> None:
    """Give the tracker the memory of a state file."""
    with path.open("rb") as file:
        header = json.loads(file.readline())
        if not header["tensors"]:
            return
        dims = {name: described["shape"][-1] for name, described in header["tensors"].items()}
        memory = tracker.empty_memory(dims["keys"], dims.get("fine", 0))
        for name, described in header["tensors"].items():
            tensor = getattr(memory, name)
            if tensor is None:  # values, which the memory makes with the first ones
                dtype = getattr(torch, described["dtype"])
                tensor = torch.zeros(described["shape"], dtype=dtype, device=tracker.device)
                setattr(memory, name, tensor)
            for part in tensor:
                part.copy_(_read(file, part))
        memory.groups = [Group(tuple(group["objects"]), group["slot"], group["start"]) for group in header["groups"]]
        memory.count = header["count"]
    tracker.memory = memory


def _tensors(memory: ReferenceMemory) -> dict[str, Tensor]:
    return {name: value for name, value in sorted(vars(memory).items()) if isinstance(value, Tensor)}


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _read(file: BinaryIO, like: Tensor) -> Tensor:
    data = bytearray(like.numel() * like.element_size())
    file.readinto(data)  # type: ignore[attr-defined]
    return torch.frombuffer(data, dtype=like.dtype).view(like.shape)
