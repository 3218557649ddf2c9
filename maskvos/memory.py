"""Telling that memory ran out from other errors, on the processor and on a GPU."""

import torch

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
