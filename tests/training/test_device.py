"""Precision and placement."""

import pytest
import torch

from maskvos.training.device import autocast, place, used_precision

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
