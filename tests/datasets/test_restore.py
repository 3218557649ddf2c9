"""A manifest without its data: what can be obtained again is, and what it gives is compared."""

import logging
import shutil
from pathlib import Path

import pytest

from maskvos.datasets import obtain as obtaining
from maskvos.datasets.catalogue import Content, Entry
from maskvos.datasets.generator import GeneratedSet, generate
from maskvos.datasets.manifest import Manifest
from maskvos.datasets.obtain import obtain
from maskvos.datasets.sequences import open_dataset
from maskvos.errors import UserError
from maskvos.params.data import Data, Dataset, Generator
from tests.processes import clean_forks

GENERATOR = Generator(
    seed=0, train_sequences=1, evaluation_sequences=2, frames=3, height=48, width=64, max_objects=2, style="plain"
)
GENERATED = Dataset(source="generated", layout="davis", split="val")


def fetch(dataset: Dataset, folder: Path, seed: int = 0) -> Manifest:
    data = Data(folder=str(folder), train=GENERATED, evaluation={"davis": dataset})
    return obtain("davis", data, GENERATOR.model_copy(update={"seed": seed}), threads=1)


def bytes_in(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_generated_videos_that_are_absent_are_made_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    manifest = fetch(GENERATED, tmp_path / "data")
    before = bytes_in(Path(manifest["root"]))
    with caplog.at_level(logging.INFO, logger="maskvos"):
        open_dataset(dict(manifest))
        assert not caplog.records
        shutil.rmtree(tmp_path / "data")
        assert len(open_dataset(dict(manifest), threads=1)) == 2
    (record,) = caplog.records
    assert "obtaining it again" in record.getMessage()
    assert bytes_in(Path(manifest["root"])) == before


def test_generated_videos_of_another_seed_are_not_taken_for_these(tmp_path: Path) -> None:
    manifest = fetch(GENERATED, tmp_path / "data")
    before = bytes_in(Path(manifest["root"]))
    fetch(GENERATED, tmp_path / "data", seed=1)
    assert bytes_in(Path(manifest["root"])) != before
    open_dataset(dict(manifest), threads=1)
    assert bytes_in(Path(manifest["root"])) == before


def test_a_public_dataset_is_unpacked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generate(GeneratedSet("x", "davis", "val", 0, 2, 3, 48, 64, 2, annotated=True), tmp_path / "x/DAVIS", threads=1)
    archive = shutil.make_archive(str(tmp_path / "small"), "zip", tmp_path / "x")
    entry = Entry("small", "davis", "small.zip", {"val": Content(2, 6)}, 0.1, "free", address="http://127.0.0.1:9/")
    monkeypatch.setattr(obtaining, "find_entry", lambda name: entry)
    dataset = Dataset(source="catalogue", layout="davis", name="small", path=archive, split="val")
    manifest = fetch(dataset, tmp_path / "data")
    assert set(manifest["origin"]) == {"dataset", "folder"}, "the generator would change the manifest of public data"
    shutil.rmtree(tmp_path / "data")
    assert len(open_dataset(dict(manifest))) == 2


def test_a_folder_of_the_users_that_is_gone_is_named(tmp_path: Path) -> None:
    generate(GeneratedSet("x", "davis", "val", 0, 2, 3, 48, 64, 2, annotated=True), tmp_path / "own", threads=1)
    manifest = fetch(Dataset(source="folder", layout="davis", path=str(tmp_path / "own"), split="val"), tmp_path)
    shutil.rmtree(tmp_path / "own")
    with pytest.raises(UserError, match=r"data\.evaluation\.davis\.path: .*/own is neither a folder nor an archive"):
        open_dataset(dict(manifest))


def test_what_differs_and_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    manifest = fetch(GENERATED, tmp_path / "data")
    shutil.rmtree(tmp_path / "data")
    with pytest.raises(UserError, match=r"not as the manifest of 'davis' describes it.*fetch stage"):
        open_dataset({**manifest, "fingerprint": "0" * 64}, threads=1)
    shutil.rmtree(tmp_path / "data")
    with pytest.raises(UserError, match="'origin' is not what this version"):
        open_dataset({**manifest, "origin": {"dataset": {"source": "elsewhere"}}})
    with pytest.raises(UserError, match="no such dataset folder"):
        open_dataset({key: value for key, value in manifest.items() if key != "origin"})


def test_several_processes_at_once(tmp_path: Path) -> None:
    manifest = dict(fetch(GENERATED, tmp_path / "data"))
    shutil.rmtree(tmp_path / "data")
    with clean_forks().Pool(3) as pool:
        opened = pool.starmap(open_dataset, [(manifest, 1)] * 3)
    assert [len(sequences) for sequences in opened] == [2, 2, 2]
