"""Checksums: published, recorded, compared."""

import hashlib
from pathlib import Path

import pytest

from maskvos.datasets.checksums import remember, verify
from maskvos.errors import UserError


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "set.zip"
    path.write_bytes(b"content")
    return path


def test_recorded_once_and_verified_from_then_on(archive: Path, tmp_path: Path) -> None:
    record = tmp_path / "records" / "set.json"
    found = verify(archive, record, None)
    assert found == hashlib.sha256(b"content").hexdigest()
    assert not record.exists()
    remember(archive, record, found)
    remember(archive, record, "another one")
    assert verify(archive, record, None) == found
    archive.write_bytes(b"other")
    with pytest.raises(UserError, match=f"expected {found} .*recorded in"):
        verify(archive, record, None)


def test_published_checksum_wins_and_nothing_is_recorded(archive: Path, tmp_path: Path) -> None:
    record = tmp_path / "set.json"
    verify(archive, record, hashlib.sha256(b"content").hexdigest())
    assert not record.exists()
    with pytest.raises(UserError, match=r"expected 00 .published"):
        verify(archive, record, "00")


def test_damaged_record(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "set.json").write_text("[]")
    with pytest.raises(UserError, match="not a checksum record"):
        verify(archive, tmp_path / "set.json", None)
