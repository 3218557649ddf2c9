"""Which pictures are index masks, which are black and white, and which are neither."""

import numpy as np
import pytest
from PIL import Image

from maskvos.errors import UserError
from maskvos.inference.mask_files import MOST_GREYS, read_mask_file
from maskvos.storage.masks import write_mask


def square(value, size=12):
    ids = np.zeros((size, size), np.uint8)
    ids[2:6, 2:6] = value
    return ids


def save(path, ids, mode):
    """Ids as a PNG of a mode; for colours, grey ones."""
    image = Image.fromarray(ids)
    if mode == "P":
        write_mask(path, ids)
    elif mode == "1":
        Image.fromarray(ids > 0).save(path)
    else:
        image.convert(mode).save(path)
    return path


@pytest.mark.parametrize(
    ("value", "mode", "black_and_white"),
    [
        (255, "L", True),
        (255, "RGB", True),
        (255, "RGBA", True),
        (255, "LA", True),
        (1, "1", True),
        (1, "L", False),
        (254, "L", False),
        (5, "P", False),
    ],
)
def test_kinds(tmp_path, value, mode, black_and_white):
    mask = read_mask_file(save(tmp_path / "mask.png", square(value), mode))
    assert mask.black_and_white is black_and_white
    assert mask.objects == [1 if black_and_white else value]
    np.testing.assert_array_equal(mask.ids, square(1 if black_and_white else value))


@pytest.mark.parametrize("mode", ["L", "P"])
def test_white_beside_ids_is_void(tmp_path, mode):
    ids = square(3)
    ids[8:, 8:] = 255
    mask = read_mask_file(save(tmp_path / "mask.png", ids, mode))
    assert (mask.objects, mask.black_and_white) == ([3], False)
    np.testing.assert_array_equal(mask.ids, ids)


@pytest.mark.parametrize(
    ("ids", "mode", "message"),
    [
        (square(0), "L", "no object in this mask. Mark"),
        (square(0), "RGB", "no object in this mask. Mark"),
        (square(255), "P", "255 in a palette PNG means void"),
        (square(128), "RGB", "mode RGB"),
    ],
)
def test_no_object(tmp_path, ids, mode, message):
    with pytest.raises(UserError, match=message):
        read_mask_file(save(tmp_path / "mask.png", ids, mode))


@pytest.mark.parametrize(("greys", "fine"), [(MOST_GREYS, True), (MOST_GREYS + 1, False)])
def test_soft_edges(tmp_path, greys, fine):
    ids = np.pad(square(255), ((0, 0), (0, 20)))
    ids[0, :greys] = np.arange(1, greys + 1)
    path = save(tmp_path / "mask.png", ids, "L")
    if fine:
        assert len(read_mask_file(path).objects) == greys
        return
    with pytest.raises(UserError, match=f"white and {greys} other greys"):
        read_mask_file(path)
    save(path, ids, "P")  # with a palette they are ids
    assert len(read_mask_file(path).objects) == greys


def test_transparency_is_not_guessed_at(tmp_path):
    pixels = np.full((4, 4, 4), 255, np.uint8)
    pixels[0, 0, 3] = 0
    Image.fromarray(pixels).save(tmp_path / "mask.png")
    with pytest.raises(UserError, match="mode RGBA"):
        read_mask_file(tmp_path / "mask.png")


def test_other_files(tmp_path):
    Image.fromarray(square(255)).save(tmp_path / "mask.png", "JPEG")
    with pytest.raises(UserError, match="this is JPEG"):
        read_mask_file(tmp_path / "mask.png")
    with pytest.raises(UserError, match="is a folder"):
        read_mask_file(tmp_path)
    with pytest.raises(UserError, match="no such mask"):
        read_mask_file(tmp_path / "absent.png")
    (tmp_path / "text.png").write_text("dear")
    with pytest.raises(UserError, match="not a readable PNG"):
        read_mask_file(tmp_path / "text.png")
