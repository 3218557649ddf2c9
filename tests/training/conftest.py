"""Fixtures of the training tests."""

import signal

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread():
    """Handlers that the loop sets must not outlive a test."""
    torch.set_num_threads(1)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGUSR1)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
