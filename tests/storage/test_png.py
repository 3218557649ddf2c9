"""Plain PNG files come back as Pillow reads them; whatever is unusual or damaged is left to Pillow."""

import io
import struct
import tracemalloc
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from maskvos.errors import UserError
from maskvos.storage import png
from maskvos.storage.masks import PALETTE, read_mask
from maskvos.storage.png import decode_plain

IDS = np.random.default_rng(0).integers(0, 4, (9, 14), dtype=np.uint8)
LINES = b"".join(b"\0" + row.tobytes() for row in IDS)


def save(ids: np.ndarray, palette: bool = True, **options: object) -> bytes:
    image = Image.fromarray(ids)
    if palette:
        image.putpalette(PALETTE.tobytes())
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return file.getvalue()


def build(
    data: bytes, width: int = 14, height: int = 9, kind: tuple[int, ...] = (8, 0, 0, 0, 0), pieces: int = 1
) -> bytes:
    """A PNG from its parts, whatever they are, all checksums right."""
    size = max(-(-len(data) // pieces), 1)
    chunks = [(b"IHDR", struct.pack(">II5B", width, height, *kind))]
    chunks += [(b"IDAT", data[start : start + size]) for start in range(0, len(data), size)] + [(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )


@pytest.mark.parametrize("size", [(1, 1), (1, 70), (70, 1), (480, 854)], ids=str)
@pytest.mark.parametrize("options", [{}, {"transparency": 0}, {"compress_level": 0}, {"compress_level": 9}], ids=str)
def test_palette_masks_are_decoded(size: tuple[int, int], options: dict[str, int]):
    ids = np.random.default_rng(size).integers(0, 256, size, dtype=np.uint8)
    found = decode_plain(save(ids, **options))
    assert found is not None
    assert (found == ids).all()
    assert (found.dtype, found.shape, found.flags.writeable, found.flags.c_contiguous) == (np.uint8, size, True, True)


@pytest.mark.parametrize("pieces", [1, 2, 7])
def test_data_may_lie_in_several_chunks(pieces: int):
    found = decode_plain(build(zlib.compress(LINES), pieces=pieces))
    assert found is not None
    assert (found == IDS).all()


def filtered(ids: np.ndarray) -> bytes:
    """Lines as differences from the pixel to the left, the PNG filter of type 1."""
    differences = np.diff(ids.astype(np.int16), axis=1, prepend=0).astype(np.uint8)
    return b"".join(b"\1" + row.tobytes() for row in differences)


UNUSUAL = {
    "filters": build(zlib.compress(filtered(IDS))),
    "one filtered line": build(zlib.compress(LINES[:-15] + filtered(IDS)[-15:])),
    "OpenCV's filters": cv2.imencode(".png", np.tile(np.arange(200, dtype=np.uint8), (90, 1)))[1].tobytes(),
    "two bits": save(IDS, bits=2),
    "black and white": build(zlib.compress(b"\0\xaa"), 8, 1, (1, 0, 0, 0, 0)),
    "16 bits": build(zlib.compress(b"\0" + bytes(4)), 2, 1, (16, 0, 0, 0, 0)),
    "colours": save(np.zeros((9, 14, 3), np.uint8), palette=False),
    "interlaced": build(zlib.compress(b"\0\7"), 1, 1, (8, 0, 0, 0, 1)),
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_files_are_left_to_pillow(tmp_path: Path, name: str):
    assert decode_plain(UNUSUAL[name]) is None
    path = tmp_path / "mask.png"
    path.write_bytes(UNUSUAL[name])
    with Image.open(path) as image:
        if image.mode in ("P", "L", "1"):
            assert (read_mask(path) == np.array(image)).all()


def test_every_damage_is_seen():
    whole = save(IDS)
    assert (decode_plain(whole) == IDS).all()
    for place in range(len(whole)):
        assert decode_plain(whole[:place]) is None
        for bit in (1, 128):
            assert decode_plain(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :]) is None
    assert decode_plain(whole + b"\0") is None


STREAM = zlib.compress(LINES)
WRONG = {
    "a line too few": build(STREAM, height=10),
    "a line too many": build(STREAM, height=8),
    "a column too many": build(STREAM, width=13),
    "no pixels": build(zlib.compress(bytes(9)), width=0),
    "no data": build(b""),
    "cut stream": build(STREAM[:-6]),
    "without its checksum": build(STREAM[:-4]),
    "another checksum": build(STREAM[:-1] + bytes([STREAM[-1] ^ 1])),
    "bytes after the stream": build(STREAM + b"\0"),
    "not deflated": build(b"\x77\x09" + STREAM[2:]),
    "wrong stream header": build(STREAM[:1] + bytes([STREAM[1] ^ 1]) + STREAM[2:]),
    "with a dictionary": build(b"\x78\xbb" + STREAM[2:]),
    "noise": build(STREAM[:2] + b"\xff" * 40),
    "header of another length": build(STREAM).replace(
        build(STREAM)[8:33], struct.pack(">I4s12sI", 12, b"IHDR", bytes(12), zlib.crc32(b"IHDR" + bytes(12)))
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_sound_chunks_with_wrong_content_are_not_decoded(tmp_path: Path, name: str):
    assert decode_plain(WRONG[name]) is None


@pytest.mark.parametrize("width", [14, 1 << 30])
def test_a_few_bytes_cannot_fill_the_memory(width: int):
    file = build(zlib.compress(bytes(1 << 24)), width)
    tracemalloc.start()
    assert decode_plain(file) is None
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_very_large_images_are_left_to_pillow(monkeypatch: pytest.MonkeyPatch):
    for most, decoded in ((14 * 9, True), (14 * 9 - 1, False)):
        monkeypatch.setattr(png, "MOST_PIXELS", most)
        assert (decode_plain(save(IDS)) is not None) == decoded


@pytest.mark.parametrize("name", ["cut stream", "no data", "noise", "header of another length"])
def test_what_nobody_can_read_is_an_error(tmp_path: Path, name: str):
    (tmp_path / "mask.png").write_bytes(WRONG[name])
    with pytest.raises(UserError, match=r"mask\.png: not a readable PNG"):
        read_mask(tmp_path / "mask.png")


def test_without_zlib_ng_the_standard_library_decodes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(png, "zlib", zlib)
    assert (decode_plain(save(IDS)) == IDS).all()
    for data in WRONG.values():
        assert decode_plain(data) is None
