"""Stage fetch: the manifest of a set, and an optional set that is absent."""

import argparse
import importlib.util
import json
import shutil
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from maskvos.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
SMALL = {"train_sequences": 2, "evaluation_sequences": 1, "frames": 3, "height": 48, "width": 64, "max_objects": 2}


@pytest.fixture(scope="module")
def stage() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fetch", ROOT / "stages" / "fetch.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def arguments(folder: Path, dataset: str) -> argparse.Namespace:
    """The committed parameters with small videos and one more evaluation set that is left out."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["generator"] |= SMALL
    params["data"]["folder"] = str(folder / "data")
    params["runtime"]["threads"] = 1
    params["data"]["evaluation"]["own"] = {**params["data"]["train"], "source": "folder", "path": ""}
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    return argparse.Namespace(params=folder / "params.yaml", dataset=dataset, output=folder / "out" / "set.json")


def test_manifest(stage: ModuleType, tmp_path: Path) -> None:
    assert stage.main(arguments(tmp_path, "train")) == {"sequences": 2, "frames": 6}
    manifest = json.loads((tmp_path / "out" / "set.json").read_text())
    assert [entry["frames"] for entry in manifest["sequences"]] == [3, 3]


def test_manifest_does_not_depend_on_what_was_there_or_on_threads(stage: ModuleType, tmp_path: Path) -> None:
    args = arguments(tmp_path, "train")
    stage.main(args)
    before = args.output.read_bytes()
    stage.main(args)
    assert args.output.read_bytes() == before
    params = yaml.safe_load(args.params.read_text())
    params["runtime"]["threads"] = 2
    args.params.write_text(yaml.safe_dump(params))
    shutil.rmtree(tmp_path / "data")
    stage.main(args)
    assert args.output.read_bytes() == before


def test_absent_set(stage: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data\.evaluation\.own\.path is empty"):
        stage.main(arguments(tmp_path, "own"))
    assert not (tmp_path / "out").exists()
