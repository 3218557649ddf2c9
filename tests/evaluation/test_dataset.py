import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from maskvos.errors import UserError
from maskvos.evaluation import evaluate_dataset
from tests.evaluation.masks import write_sequence


@pytest.mark.parametrize(("layout", "folder"), [("davis", "480p"), ("youtubevos", "")])
def test_a_manifest_says_the_protocol_and_the_sequences(tmp_path: Path, layout: str, folder: str):
    mask = np.eye(9, 12, dtype=np.uint8)
    for name in ("clip", "left-out"):
        write_sequence(tmp_path / "root" / "Annotations" / folder / name, [mask] * 4)
    write_sequence(tmp_path / "predictions" / "clip", [mask] * 4)
    manifest = {
        "layout": layout,
        "root": str(tmp_path / "root"),
        "split": "val",
        "sequences": [{"name": "clip", "frames": 4}],
    }
    result = evaluate_dataset(manifest, tmp_path / "predictions", 2)
    assert list(result.objects) == ["clip_1"]


def test_clips_have_nothing_to_score_against(tmp_path: Path):
    manifest = {"layout": "clips", "root": str(tmp_path), "split": "", "sequences": []}
    with pytest.raises(UserError, match="'clips' has no annotations"):
        evaluate_dataset(manifest, tmp_path)


def test_evaluation_never_imports_torch():
    modules = "maskvos.evaluation, maskvos.evaluation.command, maskvos.datasets"
    program = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
