"""Weights files: same input, same bytes; anything else is refused with a reason."""

import json
import pathlib
import pickle

import pytest
import torch
from safetensors.torch import save_file

from maskvos import __version__
from maskvos.errors import UserError
from maskvos.storage.descriptions import read_description
from maskvos.storage.weights import load_weights, save_weights
from tests.storage.full_disk import message_of

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
        "format": "maskvos-2", "stage": "correspondence", "width": 128, "nested": {"x": [1, 2]}
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
@pytest.mark.parametrize("found", ["maskvos-9", None, 3])
def test_another_format_is_refused_and_both_are_named(tmp_path, read, found):
    path = tmp_path / "w.safetensors"
    save_file({"x": torch.zeros(1)}, path, metadata={"maskvos": json.dumps({"format": found})})
    with pytest.raises(UserError) as caught:
        read(path)
    expected = f"weights format {found!r}, this maskvos {__version__} reads 'maskvos-1' and 'maskvos-2'."
    assert expected in str(caught.value) and "w.safetensors" in str(caught.value)


@READERS
def test_the_first_format_still_loads(tmp_path, read):
    path = tmp_path / "w.safetensors"
    save_file({"x": torch.ones(1)}, path, metadata={"maskvos": '{"format": "maskvos-1", "kind": "model"}'})
    found = read(path)
    assert (found if read is read_description else found[1]) == {"format": "maskvos-1", "kind": "model"}


@READERS
@pytest.mark.parametrize("text", ["{", "[1]", '"maskvos-2"'])
def test_a_description_that_is_none(tmp_path, read, text):
    path = tmp_path / "w.safetensors"
    save_file({"x": torch.ones(1)}, path, metadata={"maskvos": text})
    with pytest.raises(UserError, match=r"w\.safetensors: (the description is not JSON|weights format None)"):
        read(path)


class Trap:
    """An object that writes a file when a pickle of it is executed."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return pathlib.Path.touch, (self.path,)


@READERS
@pytest.mark.parametrize("protocol", ["torch", 2, 5])
def test_a_pickle_is_named_and_never_executed(tmp_path, read, protocol):
    path = tmp_path / "model.pth"
    if protocol == "torch":
        torch.save({"model": Trap(tmp_path / "sprung")}, path)
    else:
        path.write_bytes(pickle.dumps({"model": Trap(tmp_path / "sprung")}, protocol))
    with pytest.raises(UserError, match=r"model\.pth: a pickle of PyTorch, expected safetensors.*maskvos convert"):
        read(path)
    assert not (tmp_path / "sprung").exists()


def test_a_full_disk_is_a_users_error_and_leaves_nothing(tmp_path):
    message = message_of(lambda: save_weights(tmp_path / "model.safetensors", {"a": torch.zeros(10**5)}, {}))
    assert "cannot write" in message and "model.safetensors" in message and "Free space" in message
    assert list(tmp_path.iterdir()) == []
