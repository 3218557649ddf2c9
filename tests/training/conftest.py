"""Fixtures of the training tests."""

import signal
from collections.abc import Iterator

import pytest
import torch

from maskvos.training.stopping import STOPPING


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def handlers_put_back() -> Iterator[None]:
    """Those that the training loop sets must not outlive a test."""
    before = {number: signal.getsignal(number) for number in STOPPING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
