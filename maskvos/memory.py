"""Telling that memory ran out from other errors, on the processor and on a GPU."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import torch

from maskvos.errors import UserError, first_line

_CUDA = ("out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")
_CPU = (
    "DefaultCPUAllocator",
    "not enough memory",
    "can't allocate memory",
    "Insufficient memory",
    "bad_alloc",
    "could not create a primitive",  # oneDNN, where a convolution's buffers do not fit
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of torch, NumPy, OpenCV or Python itself says so."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    known = isinstance(error, RuntimeError) or type(error).__module__.startswith("cv2")
    return known and any(words in str(error) for words in (*_CUDA, *_CPU))


@contextmanager
def memory_explained(message: Callable[[Exception], str]) -> Iterator[None]:
    """Turn running out of memory into a user's error.

    Args:
        message: from the error that says so to what the user is told, remedy included.

    Raises:
        UserError: memory ran out.
    """
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise UserError(message(error)) from error


def stage_memory_explained(stage: str, remedy: str) -> AbstractContextManager[None]:
    """`memory_explained` for a stage: its name, the error's first line, and the remedy in whole sentences."""

    def message(error: Exception) -> str:
        return f"{stage}: out of memory ({first_line(error)}). {remedy}"

    return memory_explained(message)
