"""The frame store, writing: shards and index in an order that makes the same input give the same bytes."""

import hashlib
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maskvos.storage.frames import FORMAT

# Few files for DVC and cluster file systems, yet each small enough to copy and to check on its own.
SHARD_BYTES = 1 << 30
_LOCAL_HEADER = 30  # bytes of a ZIP member's local header before its name (APPNOTE 4.3.7)


@dataclass(frozen=True)
class EncodedClip:
    """A clip that is ready to be stored.

    ``names`` and ``images`` (JPEG or PNG bytes, all ``height`` x ``width`` pixels) have one entry a frame; ``left_out``
    maps the names of damaged frames to the reason. ``unusable`` says why the whole clip is not stored; empty if it is.
    """

    name: str
    height: int
    width: int
    names: list[str]
    images: list[bytes]
    left_out: dict[str, str] = field(default_factory=dict)
    unusable: str = ""


def write_store(
    folder: Path, clips: Iterable[EncodedClip], suffix: str, facts: Mapping[str, Any], shard_bytes: int = SHARD_BYTES
) -> dict[str, Any]:
    """Write the shards and ``index.json`` of ``clips`` into the existing ``folder``; returns the index.

    A clip never spans two shards: a shard ends before the clip that would bring it above ``shard_bytes``. ``suffix`` is
    that of the members (".jpg" or ".png"). ``facts`` (settings, the data's origin) are recorded in the index, where the
    fingerprint covers them.
    """
    writer = _Shards(folder, suffix, shard_bytes)
    entries, left_out, clips_left_out = [], [], []
    try:
        for clip in clips:
            left_out += [{"clip": clip.name, "frame": name, "reason": why} for name, why in clip.left_out.items()]
            if clip.unusable:
                clips_left_out.append({"clip": clip.name, "reason": clip.unusable})
            else:
                entries.append(writer.add(clip))
    finally:
        writer.close()
    index: dict[str, Any] = {
        "format": FORMAT,
        **facts,
        "left_out": left_out,
        "clips_left_out": clips_left_out,
        "shards": writer.describe(),
        "clips": entries,
    }
    index["fingerprint"] = hashlib.sha256(json.dumps(index, sort_keys=True).encode()).hexdigest()
    (folder / "index.json").write_text(_one_line_per_entry(index))
    return index


class _Shards:
    """The shards of one store, opened one after the other."""

    def __init__(self, folder: Path, suffix: str, limit: int) -> None:
        self._folder, self._suffix, self._limit = folder, suffix, limit
        self._paths: list[Path] = []
        self._archive: zipfile.ZipFile | None = None
        self._used = 0

    def add(self, clip: EncodedClip) -> dict[str, Any]:
        """Store one clip; its entry in the index."""
        size = sum(len(image) for image in clip.images)
        if self._archive is None or self._used + size > self._limit:
            self.close()
            self._paths.append(self._folder / f"frames-{len(self._paths):03d}.zip")
            self._archive, self._used = zipfile.ZipFile(self._paths[-1], "w", zipfile.ZIP_STORED), 0
        members = [
            self._store(self._archive, f"{clip.name}/{name}{self._suffix}", image)
            for name, image in zip(clip.names, clip.images, strict=True)
        ]
        self._used += size
        return {
            "name": clip.name,
            "height": clip.height,
            "width": clip.width,
            "shard": len(self._paths) - 1,
            "frames": clip.names,
            "offsets": [offset for offset, _ in members],
            "lengths": [len(image) for image in clip.images],
            "crc32": [crc for _, crc in members],
        }

    @staticmethod
    def _store(archive: zipfile.ZipFile, name: str, data: bytes) -> tuple[int, int]:
        """Offset of the member's bytes in the file, and their CRC-32."""
        member = zipfile.ZipInfo(name)  # dated 1980-01-01: a real time would change the bytes of every run
        member.external_attr = 0o644 << 16
        archive.writestr(member, data)
        return member.header_offset + _LOCAL_HEADER + len(name.encode()), member.CRC

    def close(self) -> None:
        """End the shard that is open, if there is one."""
        if self._archive is not None:
            archive, self._archive = self._archive, None
            archive.close()

    def describe(self) -> list[dict[str, Any]]:
        """File name, size and SHA-256 of every shard."""
        described = []
        for path in self._paths:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            described.append({"file": path.name, "bytes": path.stat().st_size, "sha256": digest})
        return described


def _one_line_per_entry(index: Mapping[str, Any]) -> str:
    """JSON in which every list entry is a line: readable, and its differences too, without a line per offset."""
    parts = []
    for key, value in index.items():
        is_list = isinstance(value, list) and value
        text = "[\n" + ",\n".join(json.dumps(entry) for entry in value) + "\n]" if is_list else json.dumps(value)
        parts.append(f"{json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"
