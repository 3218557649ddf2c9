import contextlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskvos.errors import UserError
from maskvos.storage.masks import PALETTE, read_mask, write_mask


@pytest.mark.parametrize("size", [(1, 1), (3, 8), (17, 5)], ids=str)
def test_ids_come_back(tmp_path: Path, size: tuple[int, int]):
    ids = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    write_mask(tmp_path / "mask.png", ids)
    found = read_mask(tmp_path / "mask.png")
    assert found.dtype == np.uint8
    assert (found == ids).all()


def test_same_ids_give_the_same_bytes(tmp_path: Path):
    for name in ("a.png", "b.png"):
        write_mask(tmp_path / name, np.eye(9, dtype=np.uint8))
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_palette_is_the_one_of_davis(shared_data: Path):
    with Image.open(shared_data / "DAVIS-multi/Annotations/480p/dogs-jump/00000.png") as image:
        assert image.getpalette()[:60] == PALETTE.ravel().tolist()[:60]


def test_palette_starts_as_pascal_voc_defines():
    first = [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0], [0, 0, 128]]
    assert PALETTE[:5].tolist() == first
    assert PALETTE[255].tolist() == [224, 224, 192]
    assert len({tuple(colour) for colour in PALETTE.tolist()}) == 256


@pytest.mark.parametrize("mode", ["L", "1"])
def test_grey_and_black_and_white_masks_are_read(tmp_path: Path, mode: str):
    ids = np.eye(7, 5, dtype=np.uint8)
    Image.fromarray(ids if mode == "L" else ids.astype(bool)).save(tmp_path / "mask.png")
    assert (read_mask(tmp_path / "mask.png") == ids).all()


def test_few_colours_in_few_bits_are_read(tmp_path: Path):
    image = Image.fromarray(np.arange(4, dtype=np.uint8).reshape(2, 2))
    image.putpalette(PALETTE[:4].tobytes())
    image.save(tmp_path / "mask.png", bits=2)
    assert read_mask(tmp_path / "mask.png").tolist() == [[0, 1], [2, 3]]


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "I;16"])
def test_colours_are_no_ids(tmp_path: Path, mode: str):
    Image.new(mode, (4, 4)).save(tmp_path / "mask.png")
    with pytest.raises(UserError, match=f"mode {mode}"):
        read_mask(tmp_path / "mask.png")


def test_a_jpeg_is_no_mask_whatever_its_name(tmp_path: Path):
    Image.new("L", (16, 16), 1).save(tmp_path / "mask.png", "JPEG")
    with pytest.raises(UserError, match=r"mask\.png: a mask must be a PNG, this is JPEG"):
        read_mask(tmp_path / "mask.png")


def test_missing_and_damaged_masks_are_named(tmp_path: Path):
    with pytest.raises(UserError, match="no such mask"):
        read_mask(tmp_path / "nothing.png")
    path = tmp_path / "mask.png"
    write_mask(path, np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8))
    whole = path.read_bytes()
    for damaged in (b"", b"text", whole[: len(whole) // 2], whole[:-12], whole[:-1]):  # the last two lack the end
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=r"mask\.png: not a readable PNG"):
            read_mask(path)


@pytest.mark.parametrize("wrong", [np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.int64)])
def test_only_uint8_ids_are_written(tmp_path: Path, wrong: np.ndarray):
    with pytest.raises(ValueError, match="uint8"):
        write_mask(tmp_path / "mask.png", wrong)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", ["P", "L"])
def test_a_changed_byte_is_damage_and_not_other_ids(tmp_path: Path, mode: str):
    """Pillow by itself reads on, and gives other ids than were saved."""
    y, x = np.mgrid[:200, :300]
    ids = (3 * ((y - 100) ** 2 + (x - 150) ** 2 < 80**2) + ((7 * x + 3 * y) % 97 < 9)).astype(np.uint8)
    image = Image.fromarray(ids)
    if mode == "P":
        image.putpalette(PALETTE.tobytes())
    image.save(tmp_path / "mask.png")
    data = bytearray((tmp_path / "mask.png").read_bytes())
    start, silent = data.index(b"IDAT") + 4, 0
    for place in range(start + 10, len(data) - 30, 20):
        changed = bytearray(data)
        changed[place] ^= 16
        (tmp_path / "mask.png").write_bytes(changed)
        with Image.open(tmp_path / "mask.png") as opened, contextlib.suppress(OSError, SyntaxError):
            silent += bool((np.array(opened) != ids).any())
        with pytest.raises(UserError, match=r"mask\.png: not a readable PNG"):
            read_mask(tmp_path / "mask.png")
    assert silent  # or this test shows nothing


def test_a_mask_of_absurd_size_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    Image.new("1", (40, 40)).save(tmp_path / "mask.png")
    with pytest.raises(UserError, match="exceeds limit"):
        read_mask(tmp_path / "mask.png")
