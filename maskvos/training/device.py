"""Device, threads, precision and determinism of a training or inference process."""

import os
from contextlib import AbstractContextManager

import torch

from maskvos.errors import UserError
from maskvos.params.method import Runtime


def set_up_device(runtime: Runtime) -> torch.device:
    """The device that the parameters ask for, with deterministic algorithms and the given number of threads.

    Raises:
        UserError: `cuda` was asked for and there is none.
    """
    if runtime.device == "cuda" and not torch.cuda.is_available():
        raise UserError(
            "runtime.device is 'cuda' but torch sees no GPU here. Use 'auto' or 'cpu', or run on a GPU node."
        )
    chosen = runtime.device if runtime.device != "auto" else ("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_num_threads(runtime.threads or len(os.sched_getaffinity(0)))
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what cuBLAS needs for reproducible sums
    torch.use_deterministic_algorithms(True)
    # A debugging aid that costs time at every allocation; torch's type stubs do not know the attribute.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    return torch.device(chosen)


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """bf16 convolutions where ``precision`` says so; affinities, softmax and losses leave it by themselves."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")
