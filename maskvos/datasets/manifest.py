"""The dataset manifest: what a dataset holds, where, and how to get it again; all that later stages know about it."""

import hashlib
import json
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from maskvos.datasets.layout import Listing
from maskvos.storage.atomic import atomic_file


class ManifestSequence(TypedDict):
    """One sequence and its number of frames."""

    name: str
    frames: int


class Origin(TypedDict):
    """The parameters that `maskvos.datasets.obtain` made the dataset available from.

    ``dataset`` and ``folder`` stand in the section ``data``; ``generator`` is recorded for generated videos only,
    so that the manifest of a public dataset is the same whatever it is.
    """

    dataset: dict[str, Any]
    folder: str
    generator: NotRequired[dict[str, Any]]


class Manifest(TypedDict):
    """``fingerprint`` is a SHA-256 over names and sizes of the dataset's files.

    ``origin`` is there because a manifest travels without its data: DVC restores one from its cache.
    """

    name: str
    layout: str
    split: str
    root: str
    licence: str
    origin: Origin
    sequences: list[ManifestSequence]
    frames: int
    fingerprint: str


def make_manifest(name: str, root: Path, licence: str, origin: Origin, listing: Listing) -> Manifest:
    """The manifest of a dataset whose files have been listed."""
    sequences = [ManifestSequence(name=key, frames=count) for key, count in listing.sequences.items()]
    return Manifest(
        name=name,
        layout=origin["dataset"]["layout"],
        split=origin["dataset"]["split"],
        root=str(root),
        licence=licence,
        origin=origin,
        sequences=sequences,
        frames=listing.frames,
        fingerprint=fingerprint(listing.files),
    )


def fingerprint(files: dict[str, Any]) -> str:
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
