"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parent.parent
os.environ.pop("MASKVOS_CHECKPOINTS", None)  # whoever works on a study has it set


@pytest.fixture(autouse=True)
def seeded_torch() -> None:
    """Draws of torch's own generator do not depend on which tests ran before in this process."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real clips beside the checkout; a test that wants them is skipped where they are absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real clips (../shared/data) are not on this machine")
    return folder
