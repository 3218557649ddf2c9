"""Checkpoints are read without executing anything in them."""

import argparse
import pathlib
import pickle

import numpy as np
import pytest
import torch

from maskvos.convert import checkpoints
from maskvos.convert.checkpoints import StandIn, read_checkpoint
from maskvos.errors import UserError


class Trap:
    """An object that makes a file when a pickle of it is executed."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return pathlib.Path.touch, (self.path,)


def test_tensors_and_plain_data_come_back_and_the_rest_as_stand_ins(tmp_path):
    options = argparse.Namespace(model_type="scratch", sizes=[1, 2])
    given = {"model": {"w": torch.arange(3.0)}, "args": options, "score": np.float64(0.5), "epoch": 7}
    torch.save(given, tmp_path / "c.pth")
    found = read_checkpoint(tmp_path / "c.pth")
    assert torch.equal(found["model"]["w"], torch.arange(3.0)) and found["epoch"] == 7
    assert type(found["args"]) is type(found["score"]) is StandIn
    assert (found["args"].model_type, found["args"].sizes) == ("scratch", [1, 2])


def test_the_stand_ins_are_only_for_the_one_file(tmp_path):
    torch.save({"args": argparse.Namespace(a=1)}, tmp_path / "c.pth")
    read_checkpoint(tmp_path / "c.pth")
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / "c.pth", weights_only=True)


@pytest.mark.parametrize("legacy", [False, True])
def test_code_is_named_and_never_executed(tmp_path, legacy):
    path, sprung = tmp_path / "c.pth", tmp_path / "sprung"
    torch.save({"model": Trap(sprung)}, path, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(UserError, match=r"c\.pth: .* would execute [\w.]+, which maskvos never does"):
        read_checkpoint(path)
    assert not sprung.exists()
    torch.load(path, weights_only=False)  # the trap is a real one
    assert sprung.exists()


@pytest.mark.parametrize("damage", ["absent", "empty", "cut", "text", "folder"])
def test_damaged_files(tmp_path, damage):
    path = tmp_path / "c.pth"
    torch.save({"w": torch.zeros(1000)}, path)
    data = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage != "absent":
        path.write_bytes({"empty": b"", "cut": data[: len(data) // 2], "text": b"404: not found"}[damage])
    with pytest.raises(UserError, match=r"c\.pth: (no such checkpoint|not a readable PyTorch checkpoint \([^)]{5,}\))"):
        read_checkpoint(path)


def test_the_allowed_names_are_these_alone():
    names = {name for _, name in checkpoints._STAND_INS}
    assert names == {
        "argparse.Namespace",
        "numpy.dtype",
        "numpy.core.multiarray.scalar",
        "numpy._core.multiarray.scalar",
    }


def test_a_cut_file_of_the_old_form_is_damaged(tmp_path):
    path = tmp_path / "c.pth"
    torch.save({"w": torch.zeros(10), "name": "x"}, path, _use_new_zipfile_serialization=False)
    data = path.read_bytes()
    for length in range(1, len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(UserError, match=r"c\.pth: "):
            read_checkpoint(path)
