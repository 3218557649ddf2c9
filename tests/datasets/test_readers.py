from pathlib import Path

import pytest

from maskvos.datasets.readers import open_layout
from maskvos.errors import UserError


def test_unknown_layout_and_missing_folder(tmp_path: Path):
    with pytest.raises(UserError, match="unknown layout 'coco'"):
        open_layout("coco", tmp_path, "")
    with pytest.raises(UserError, match="no such dataset folder"):
        open_layout("clips", tmp_path / "nowhere", "")
