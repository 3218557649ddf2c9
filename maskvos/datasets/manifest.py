"""The dataset manifest: what a dataset holds and where, the one thing that later stages know about it."""

import hashlib
import json
from pathlib import Path
from typing import TypedDict

from maskvos.datasets.layout import Listing
from maskvos.storage.atomic import atomic_file


class ManifestSequence(TypedDict):
    """One sequence and its number of frames."""

    name: str
    frames: int


class Manifest(TypedDict):
    """``fingerprint`` is a SHA-256 over names and sizes of the dataset's files."""

    name: str
    layout: str
    split: str
    root: str
    licence: str
    sequences: list[ManifestSequence]
    frames: int
    fingerprint: str


def make_manifest(name: str, layout: str, split: str, root: Path, licence: str, listing: Listing) -> Manifest:
    """The manifest of a dataset whose files have been listed."""
    sequences = [ManifestSequence(name=key, frames=count) for key, count in listing.sequences.items()]
    return Manifest(
        name=name,
        layout=layout,
        split=split,
        root=str(root),
        licence=licence,
        sequences=sequences,
        frames=listing.frames,
        fingerprint=fingerprint(listing.files),
    )


def fingerprint(files: dict[str, int]) -> str:
    """SHA-256 over the sorted listing: relative path and size in bytes of every file."""
    digest = hashlib.sha256()
    for path, size in sorted(files.items()):
        digest.update(f"{path}\t{size}\n".encode())
    return digest.hexdigest()


def write_manifest(path: Path | str, manifest: Manifest) -> None:
    """Write it whole or not at all.

    Raises:
        UserError: the disk is full or the folder cannot be written.
    """
    with atomic_file(path) as partial:
        partial.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
