"""Errors from outside in one sentence."""

import os
import signal

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from maskvos.errors import UserError
from maskvos.training.failures import explained


class Items(Dataset):
    def __init__(self, act):
        self.act = act

    def __len__(self):
        return 4

    def __getitem__(self, number):
        return self.act()


def damaged():
    raise UserError("shard: damaged, frame a/b does not fit its checksum.\nRun prepare.")


def killed():
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_users_error_comes_through_as_it_is(workers):
    with pytest.raises(UserError) as error, explained("toy"):
        list(DataLoader(Items(damaged), num_workers=workers))
    assert str(error.value) == "shard: damaged, frame a/b does not fit its checksum.\nRun prepare."


def test_a_decoding_process_that_is_killed():
    with (
        pytest.raises(UserError, match=r"toy: a process that decodes frames ended.*runtime\.workers"),
        explained("toy"),
    ):
        list(DataLoader(Items(killed), num_workers=1))


@pytest.mark.parametrize(
    "fail",
    [
        lambda: torch.empty(1 << 50),
        lambda: (_ for _ in ()).throw(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")),
        lambda: (_ for _ in ()).throw(MemoryError()),
    ],
)
def test_memory_that_ran_out_says_what_to_lower(fail):
    with pytest.raises(UserError, match=r"toy: out of memory .*Set runtime\.save_memory=true"), explained("toy"):
        next(iter(result)) if hasattr(result := fail(), "__next__") else None


def test_other_errors_stay_what_they_are():
    with pytest.raises(RuntimeError, match="shapes"), explained("toy"):
        raise RuntimeError("shapes differ")
