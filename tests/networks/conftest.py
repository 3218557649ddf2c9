"""Every test of the networks: one thread, fixed weights."""

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread_fixed_seed():
    torch.set_num_threads(1)
    torch.manual_seed(0)
