import json
from pathlib import Path

import pytest

from maskvos.datasets.sequences import open_dataset
from maskvos.errors import UserError
from tests.datasets.layouts import write_images


@pytest.fixture
def manifest(tmp_path: Path) -> dict:
    for name in ("a", "b", "c"):
        write_images(tmp_path / "clips" / name, ["0", "1", "2"])
    sequences = [{"name": "c", "frames": 3}, {"name": "a", "frames": 3}]
    return {"name": "mine", "layout": "clips", "split": "", "root": str(tmp_path / "clips"), "sequences": sequences}


def test_the_manifest_says_which_sequences_and_in_which_order(manifest: dict, tmp_path: Path):
    (tmp_path / "mine.json").write_text(json.dumps(manifest))
    for given in (manifest, tmp_path / "mine.json", str(tmp_path / "mine.json")):
        assert [sequence.name for sequence in open_dataset(given)] == ["c", "a"]


def test_a_dataset_that_changed_is_an_error(manifest: dict, tmp_path: Path):
    (tmp_path / "clips" / "a" / "1.jpg").unlink()
    with pytest.raises(UserError, match="sequence a has 2 of the 3 frames"):
        open_dataset(manifest)
    manifest["sequences"].append({"name": "gone", "frames": 9})
    manifest["sequences"].pop(1)
    with pytest.raises(UserError, match="sequence gone has none of the 9 frames"):
        open_dataset(manifest)


def test_damaged_manifest_is_named(manifest: dict, tmp_path: Path):
    path = tmp_path / "mine.json"
    with pytest.raises(UserError, match=r"mine\.json: not a readable dataset manifest"):
        open_dataset(path)
    path.write_text("[]")
    with pytest.raises(UserError, match=r"mine\.json: a dataset manifest without layout"):
        open_dataset(path)
    del manifest["root"]
    with pytest.raises(UserError, match="without root"):
        open_dataset(manifest)
