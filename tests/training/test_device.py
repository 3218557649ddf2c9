"""Precision and placement."""

import os
from collections.abc import Iterator

import pytest
import torch

from maskvos.errors import UserError
from maskvos.training import device
from maskvos.training.device import autocast, for_device, place, set_up_device, used_precision
from tests.tiny import runtime

CPU = torch.device("cpu")


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_named_precision_is_used_as_it_is(precision: str) -> None:
    assert used_precision(CPU, precision) == precision


@pytest.mark.parametrize(
    ("abilities", "expected"),
    [({"avx512_bf16": True}, "bf16"), ({"amx_bf16": True}, "bf16"), ({"avx2": True}, "fp32"), ({}, "fp32")],
)
def test_auto_asks_the_processor(abilities: dict[str, bool], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: abilities)
    assert used_precision(CPU, "auto") == expected


def test_autocast_turns_convolutions_to_bf16_only_when_asked() -> None:
    network = place(torch.nn.Conv2d(3, 4, 3), CPU)
    for precision, expected in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        with autocast(CPU, precision):
            assert network(torch.zeros(1, 3, 8, 8)).dtype == expected


def test_place_keeps_the_values_and_changes_their_order() -> None:
    network = torch.nn.Conv2d(3, 4, 3)
    before = network.weight.detach().clone()
    placed = place(network, CPU)
    assert placed.weight.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(placed.weight, before)


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[torch.device]]:
    """The second of two processes on a machine that seems to have GPUs; the devices that it takes."""
    taken: list[torch.device] = []
    monkeypatch.setattr(device, "world_size", lambda: 2)
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setattr(torch.cuda, "set_device", taken.append)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: set(range(6)))
    threads = torch.get_num_threads()
    yield taken
    torch.use_deterministic_algorithms(False)
    torch.set_num_threads(threads)


def test_each_process_of_a_machine_takes_its_own_gpu_and_share_of_the_cores(gpus: list[torch.device]) -> None:
    assert set_up_device(runtime(device="auto", threads=0)) == torch.device("cuda", 1)
    assert gpus == [torch.device("cuda", 1)]
    assert torch.get_num_threads() == 3


def test_more_processes_than_gpus(gpus: list[torch.device], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UserError, match="2 processes train on this machine, but torch sees 1 GPU"):
        set_up_device(runtime(device="cuda"))


def test_a_table_by_device_serves_other_accelerators_as_gpus():
    assert [for_device({"cpu": 1, "cuda": 8}, torch.device(name)) for name in ("cpu", "cuda", "meta")] == [1, 8, 8]
