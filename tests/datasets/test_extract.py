"""Unpacking: what is refused, and that what is good comes out whole."""

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from maskvos.datasets.extract import Limits, extract
from maskvos.datasets.unpacked import unpack
from maskvos.errors import UserError

FILES = {"DAVIS/a/00000.jpg": b"one", "DAVIS/b/00001.jpg": b"two" * 1000}


def make_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("DAVIS/", b"")
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def make_tar(path: Path, members: list[tarfile.TarInfo], content: bytes = b"") -> Path:
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as archive:
        for member in members:
            member.size = len(content) if member.isreg() else 0
            archive.addfile(member, io.BytesIO(content))
    return path


def special(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    return member


def unpacked(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "out" / "inner"
    path.mkdir(parents=True)
    return path


def test_zip_and_tar(tmp_path: Path, folder: Path) -> None:
    extract(make_zip(tmp_path / "a.zip", {**FILES, "__MACOSX/._x": b"", "DAVIS/a/._0.jpg": b""}), folder)
    assert unpacked(folder) == FILES
    second = tmp_path / "second"
    second.mkdir()
    members = [special("DAVIS", tarfile.DIRTYPE), tarfile.TarInfo("DAVIS/x.jpg"), tarfile.TarInfo("./DAVIS/y.jpg")]
    extract(make_tar(tmp_path / "a.tar.gz", members, b"x"), second)
    assert unpacked(second) == {"DAVIS/x.jpg": b"x", "DAVIS/y.jpg": b"x"}


@pytest.mark.parametrize("name", ["../evil.jpg", "a/../../evil.jpg", "/evil.jpg", "C:\\evil.jpg", "a\\..\\evil.jpg"])
def test_paths_that_leave_the_folder(tmp_path: Path, folder: Path, name: str) -> None:
    for archive in (
        make_zip(tmp_path / "a.zip", {name: b"x"}),
        make_tar(tmp_path / "a.tar", [tarfile.TarInfo(name)], b"x"),
        make_tar(tmp_path / "b.tar", [special(name, tarfile.DIRTYPE)]),
    ):
        with pytest.raises(UserError, match="leave the folder"):
            extract(archive, folder)
    assert unpacked(tmp_path / "out") == {}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_of_tar(tmp_path: Path, folder: Path, kind: bytes) -> None:
    archive = make_tar(tmp_path / "a.tar", [special("link", kind, "/etc"), tarfile.TarInfo("link/file")], b"x")
    with pytest.raises(UserError, match="link or a device"):
        extract(archive, folder)
    assert not list(folder.iterdir())


def test_link_in_zip(tmp_path: Path, folder: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        entry = zipfile.ZipInfo("link")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(UserError, match="link or a device"):
        extract(tmp_path / "a.zip", folder)


def test_bounds_on_size_and_number(tmp_path: Path, folder: Path) -> None:
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(10**6))
    with pytest.raises(UserError, match="more than 1000"):
        extract(bomb, folder, Limits(size=1000))
    tar = make_tar(tmp_path / "bomb.tar.gz", [tarfile.TarInfo("zeros")], bytes(10**6))
    with pytest.raises(UserError, match="more than 1000"):
        extract(tar, folder, Limits(size=1000))
    with pytest.raises(UserError, match="more than 1 files"):
        extract(make_zip(tmp_path / "many.zip", FILES), folder, Limits(members=1))


def test_damaged(tmp_path: Path, folder: Path) -> None:
    good = make_zip(tmp_path / "a.zip", FILES).read_bytes()
    (tmp_path / "flipped.zip").write_bytes(good.replace(b"twotwotwo", b"twotwoTwo", 1))
    (tmp_path / "short.zip").write_bytes(good[: len(good) // 2])
    tar = make_tar(tmp_path / "a.tar.gz", [tarfile.TarInfo("x")], bytes(range(256)) * 400).read_bytes()
    (tmp_path / "short.tar.gz").write_bytes(tar[: len(tar) // 2])
    for name in ("flipped.zip", "short.zip", "short.tar.gz"):
        target = folder / name
        target.mkdir()
        with pytest.raises(UserError, match="damaged"):
            extract(tmp_path / name, target)


def broken_tars(whole: bytes) -> dict[str, bytes]:
    """Ways in which `tarfile` reads a part and takes it for all: three files, each a header and a block of data."""
    return {
        "bad header": whole[:1024] + b"?" * 512 + whole[1536:],
        "hole": whole[:1024] + bytes(1024) + whole[2048:],
        "zeroed header": whole[:1024] + bytes(512) + whole[1536:],
        "no end": whole[:3072],
        "cut in a header": whole[:2100],
        "cut between files": whole[:2048],
        "half an end": whole[: 3072 + 512],
    }


@pytest.mark.parametrize("how", broken_tars(b""))
@pytest.mark.parametrize("suffix", ["tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_a_tar_that_is_not_whole(tmp_path: Path, how: str, suffix: str) -> None:
    members = [tarfile.TarInfo(name) for name in ("a", "b", "c")]
    data = broken_tars(make_tar(tmp_path / "whole.tar", members, b"x" * 512).read_bytes())[how]
    compress = {"tar": bytes, "tar.gz": gzip.compress, "tar.bz2": bz2.compress, "tar.xz": lzma.compress}[suffix]
    archive = tmp_path / f"broken.{suffix}"
    archive.write_bytes(compress(data))
    with pytest.raises(UserError, match=rf"broken\.{suffix}: the archive is damaged .* Delete it and fetch it again"):
        unpack(archive, tmp_path / "data" / "set", tmp_path / "record.json")
    assert list((tmp_path / "data").iterdir()) == []


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz"])
def test_checksum_of_the_compressed_stream(tmp_path: Path, folder: Path, suffix: str) -> None:
    archive = tmp_path / f"a.tar.{suffix}"
    whole = make_tar(tmp_path / "a.tar", [tarfile.TarInfo("a")], bytes(range(256)) * 2).read_bytes()
    packed = bytearray({"gz": gzip, "bz2": bz2, "xz": lzma}[suffix].compress(whole))
    archive.write_bytes(packed)
    extract(archive, folder)
    packed[-8 if suffix == "gz" else -5] ^= 1  # gzip: its CRC; the others: their last checksum or footer
    archive.write_bytes(packed)
    with pytest.raises(UserError, match="damaged"):
        extract(archive, tmp_path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_same_file_twice(tmp_path: Path, folder: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a", b"1")
        archive.writestr("a", b"2")
    with pytest.raises(UserError, match="twice"):
        extract(tmp_path / "a.zip", folder)
