"""Weights files: same input, same bytes; anything else is refused with a reason."""

import pytest
import torch
from safetensors.torch import save_file

from maskvos.errors import UserError
from maskvos.storage.weights import load_weights, read_description, save_weights

READERS = pytest.mark.parametrize("read", [load_weights, read_description])


def tensors():
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(4, 6, generator=generator)
    return {"b": values, "a": values.T, "half": values.to(torch.bfloat16), "ids": torch.arange(5, dtype=torch.uint8)}


def test_round_trip_keeps_values_types_and_description(tmp_path):
    path = tmp_path / "new" / "model.safetensors"
    save_weights(path, tensors(), {"stage": "correspondence", "width": 128, "nested": {"x": [1, 2]}})
    loaded, description = load_weights(path)
    assert description == {
        "format": "maskvos-1", "stage": "correspondence", "width": 128, "nested": {"x": [1, 2]}
    }  # fmt: skip
    assert description == read_description(path)
    assert set(loaded) == set(tensors())
    for name, value in tensors().items():
        assert loaded[name].dtype == value.dtype
        assert torch.equal(loaded[name], value)


def test_same_input_gives_the_same_bytes(tmp_path):
    forwards, backwards = tmp_path / "1.safetensors", tmp_path / "2.safetensors"
    description = {"x": 1, "y": 2}
    save_weights(forwards, tensors(), description)
    save_weights(backwards, dict(reversed(tensors().items())), dict(reversed(description.items())))
    assert forwards.read_bytes() == backwards.read_bytes()


def test_parameters_and_shared_memory_can_be_saved(tmp_path):
    layer = torch.nn.Linear(3, 2)
    save_weights(tmp_path / "w", {"one": layer.weight, "same": layer.weight}, {})
    loaded, _ = load_weights(tmp_path / "w")
    assert torch.equal(loaded["one"], layer.weight.detach())
    assert torch.equal(loaded["same"], layer.weight.detach())


@READERS
def test_absent_file(tmp_path, read):
    with pytest.raises(UserError, match=r"gone\.safetensors: no such weights file"):
        read(tmp_path / "gone.safetensors")


@READERS
@pytest.mark.parametrize("damage", ["empty", "cut", "text"])
def test_damaged_file(tmp_path, read, damage):
    path = tmp_path / "w.safetensors"
    save_weights(path, tensors(), {})
    data = path.read_bytes()
    path.write_bytes({"empty": b"", "cut": data[: len(data) // 2], "text": b"not weights at all" * 9}[damage])
    with pytest.raises(UserError, match=r"w\.safetensors: not a readable safetensors file"):
        read(path)


@READERS
@pytest.mark.parametrize("metadata", [None, {"format": "pt"}])
def test_foreign_file(tmp_path, read, metadata):
    path = tmp_path / "w.safetensors"
    save_file({"x": torch.zeros(1)}, path, metadata=metadata)
    with pytest.raises(UserError, match="not written by maskvos"):
        read(path)


@READERS
def test_other_format(tmp_path, read):
    path = tmp_path / "w.safetensors"
    save_file({"x": torch.zeros(1)}, path, metadata={"maskvos": '{"format": "maskvos-9"}'})
    with pytest.raises(UserError, match=r"'maskvos-9', expected 'maskvos-1'"):
        read(path)
