"""The code's own arithmetic in float64, so that it can be held against a float64 reference to nine digits.

In float32 a ReLU whose input is nearly 0 may open in one of the two and not in the other, which moves a gradient by
percents: a tolerance that forgives this forgives a missing detach too.
"""

import contextlib

import pytest
import torch


@contextlib.contextmanager
def code_in_float64():
    """Within it ``.float()`` and ``torch.float32`` mean float64 to everybody."""
    usual = torch.get_default_dtype()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.Tensor, "float", torch.Tensor.double)
        patch.setattr(torch, "float32", torch.float64)
        torch.set_default_dtype(torch.float64)
        try:
            yield
        finally:
            torch.set_default_dtype(usual)
