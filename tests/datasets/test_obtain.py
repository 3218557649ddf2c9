"""From parameters to a manifest, for every source."""

import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from maskvos.datasets import obtain as module
from maskvos.datasets.catalogue import Content, Entry, find_entry
from maskvos.datasets.generator import GeneratedSet, generate
from maskvos.datasets.manifest import Manifest
from maskvos.datasets.obtain import fetch_entry, obtain
from maskvos.errors import UserError
from maskvos.params.data import Data, Dataset, Generator

GENERATOR = Generator(
    seed=0, train_sequences=2, evaluation_sequences=1, frames=3, height=48, width=64, max_objects=2, style="plain"
)
GENERATED = Dataset(source="generated", layout="youtubevos")
ENTRY = Entry(
    "small", "davis", "small.zip", {"val": Content(2, 6)}, 0.1, "free", address="http://127.0.0.1:9/small.zip"
)


def fetch(dataset: Dataset, folder: Path, name: str = "davis") -> Manifest:
    data = Data(folder=str(folder), train=GENERATED, evaluation={"davis": dataset})
    return obtain(name, data, GENERATOR, threads=1)


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    generate(GeneratedSet("x", "davis", "val", 0, 2, 3, 48, 64, 2, annotated=True), tmp_path / "x/DAVIS", threads=1)
    return tmp_path / "x"


@pytest.fixture
def archive(unpacked: Path, tmp_path: Path) -> Path:
    return Path(shutil.make_archive(str(tmp_path / "cluster" / "small"), "zip", unpacked))


@pytest.fixture
def entry(monkeypatch: pytest.MonkeyPatch) -> Entry:
    monkeypatch.setattr(module, "find_entry", lambda name: ENTRY)
    return ENTRY


def test_generated(tmp_path: Path) -> None:
    train = fetch(GENERATED, tmp_path, "train")
    assert (train["name"], train["layout"], train["frames"]) == ("train", "youtubevos", 6)
    assert Path(train["root"]) == tmp_path / "generated" / "train"
    assert not list(Path(train["root"]).rglob("*.png"))
    davis = fetch(Dataset(source="generated", layout="davis", split="val"), tmp_path)
    assert davis["frames"] == 3
    assert fetch(GENERATED, tmp_path, "train") == train


def test_folder_is_used_in_place(unpacked: Path, tmp_path: Path) -> None:
    dataset = Dataset(source="folder", layout="davis", path=str(unpacked / "DAVIS"), split="val")
    manifest = fetch(dataset, tmp_path / "data")
    assert manifest["root"] == str(unpacked / "DAVIS")
    assert [entry["frames"] for entry in manifest["sequences"]] == [3, 3]
    assert not (tmp_path / "data").exists()


def test_archive_on_the_cluster_is_unpacked_once_without_a_download(
    entry: Entry, archive: Path, tmp_path: Path
) -> None:
    dataset = Dataset(source="catalogue", layout="davis", name="small", path=str(archive), split="val")
    manifest = fetch(dataset, tmp_path / "data")
    assert manifest["root"] == str(tmp_path / "data" / "small" / "DAVIS")
    assert manifest["licence"] == "free"
    assert (tmp_path / "data" / "archives" / "small" / "small.zip.sha256.json").is_file()
    assert fetch(dataset, tmp_path / "data") == manifest
    own = fetch(Dataset(source="folder", layout="davis", path=str(archive), split="val"), tmp_path / "data")
    assert own["fingerprint"] == manifest["fingerprint"]


def test_unpacked_folder_of_a_catalogue_set_and_wrong_counts(
    entry: Entry, unpacked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = Dataset(source="catalogue", layout="davis", name="small", path=str(unpacked), split="val")
    assert fetch(dataset, tmp_path / "data")["root"] == str(unpacked / "DAVIS")
    monkeypatch.setattr(module, "find_entry", lambda name: replace(ENTRY, splits={"val": Content(2, 7)}))
    with pytest.raises(UserError, match="has 6 frames, expected 7"):
        fetch(dataset, tmp_path / "data")


def test_download_then_reuse_without_the_archive(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def served(address: str, target: Path) -> None:
        calls.append(address)
        target.parent.mkdir(parents=True)
        shutil.copy(archive, target)

    monkeypatch.setattr(module, "download", served)
    root = fetch_entry(ENTRY, "", tmp_path / "data")
    (tmp_path / "data" / "archives" / "small" / "small.zip").unlink()
    assert fetch_entry(ENTRY, "", tmp_path / "data") == root
    assert calls == [ENTRY.address]


def test_replaced_archive_does_not_pass(archive: Path, tmp_path: Path) -> None:
    fetch_entry(ENTRY, str(archive), tmp_path / "data")
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr("more.txt", b"")
    with pytest.raises(UserError, match="sha256"):
        fetch_entry(ENTRY, str(archive), tmp_path / "data")


def test_by_hand(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"archives/youtubevos2018-train/train\.zip") as raised:
        fetch_entry(find_entry("youtubevos2018-train"), "", tmp_path)
    assert "registration" in str(raised.value)


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (Dataset(source="folder", layout="davis"), "data.evaluation.davis.path is empty"),
        (Dataset(source="folder", layout="davis", path="absent"), "neither a folder nor an archive"),
        (Dataset(source="catalogue", layout="davis", name="davis"), "not in the catalogue"),
        (
            Dataset(source="catalogue", layout="youtubevos", name="davis2017-trainval-480p"),
            "layout is 'youtubevos', but davis2017-trainval-480p has the layout 'davis'",
        ),
        (Dataset(source="catalogue", layout="davis", name="davis2017-trainval-480p", split="test"), "train, val"),
        (
            Dataset(source="catalogue", layout="davis", name="davis2017-trainval-480p", path="absent.zip"),
            "no such arch",
        ),
    ],
)
def test_errors(dataset: Dataset, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        fetch(dataset, tmp_path)


def test_unknown_set(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected one of train, davis"):
        fetch(GENERATED, tmp_path, "dvis")
