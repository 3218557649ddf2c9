"""Fixtures of the inference tests."""

import pytest
import torch

from maskvos.inference import segment_run
from tests.inference.segmenting import make_clip


@pytest.fixture
def clip(tmp_path, monkeypatch):
    """A folder of three frames, a first mask, weights of both kinds. The test process keeps its number of threads."""
    monkeypatch.setattr(segment_run, "set_up_device", lambda _: torch.device("cpu"))
    make_clip(tmp_path)
    return tmp_path
