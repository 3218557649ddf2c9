"""A file is told by its bytes."""

from maskvos.storage.fingerprints import file_fingerprint


def test_file_fingerprint_is_sha256(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_fingerprint(tmp_path / "file") == expected
