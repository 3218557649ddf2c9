"""Manifest: counts, fingerprint."""

import hashlib
import json
from pathlib import Path

from maskvos.datasets.layout import Listing
from maskvos.datasets.manifest import Origin, fingerprint, make_manifest, write_manifest


def test_manifest_on_disk(tmp_path: Path) -> None:
    listing = Listing({"b": 2, "a": 3}, {"JPEGImages/b/0.jpg": 10, "JPEGImages/a/0.jpg": 7})
    origin = Origin(dataset={"layout": "davis", "split": "val"}, folder="data")
    write_manifest(tmp_path / "x.json", make_manifest("x", Path("data/x"), "free", origin, listing))
    assert json.loads((tmp_path / "x.json").read_text()) == {
        "name": "x",
        "layout": "davis",
        "split": "val",
        "root": "data/x",
        "licence": "free",
        "origin": origin,
        "sequences": [{"name": "b", "frames": 2}, {"name": "a", "frames": 3}],
        "frames": 5,
        "fingerprint": hashlib.sha256(b"JPEGImages/a/0.jpg\t7\nJPEGImages/b/0.jpg\t10\n").hexdigest(),
    }


def test_fingerprint_sees_names_and_sizes_but_not_order() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert len({fingerprint({"a": 1}), fingerprint({"a": 2}), fingerprint({"b": 1})}) == 3
