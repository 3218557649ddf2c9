"""Telling that memory ran out from other errors, on the processor and on a GPU."""

import torch


def is_out_of_memory(error: BaseException) -> bool:
    """Whether this error means that memory ran out; torch has a type of its own for GPUs alone."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and (
        "can't allocate memory" in text or "not enough memory" in text or "CUDA out of memory" in text
    )
