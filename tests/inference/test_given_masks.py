"""--mask: frames, ids, numbering, overlaps."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskvos.datasets.images import ImageFiles
from maskvos.errors import UserError
from maskvos.inference.given_masks import read_given, split_option
from maskvos.inference.span import Span
from maskvos.storage.masks import write_mask

SIZE = (10, 12)


@pytest.fixture
def masks(tmp_path, monkeypatch):
    """The working folder, where ``index`` and ``white`` write masks."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def draw(**columns):
    """Ids, each filling some columns: ``o3=(0, 4)``."""
    ids = np.zeros(SIZE, np.uint8)
    for name, (left, right) in columns.items():
        ids[:, left:right] = int(name[1:])
    return ids


def index(name, **columns):
    write_mask(name, draw(**columns))
    return name


def white(name, left, right):
    Image.fromarray(draw(o255=(left, right))).save(name)
    return name


def read(*options):
    span = Span(Path("video"), ImageFiles({}), ["00004", "00005", "00006"])
    return read_given(options, span, SIZE)


def objects(given):
    return [(marked.id, marked.frame, str(marked.file), marked.pixels) for marked in given.objects]


def test_frame_and_file(masks):
    assert split_option("first.png") == (None, Path("first.png"))
    assert split_option("5=late.png") == ("5", Path("late.png"))
    assert split_option("5=a=b.png") == ("5", Path("a=b.png"))
    index("a=b.png", o1=(0, 1))
    assert split_option("a=b.png") == (None, Path("a=b.png"))


def test_index_masks_keep_their_ids(masks):
    given = read(index("first.png", o2=(0, 2), o7=(3, 5), o255=(6, 7)), "6=" + index("late.png", o1=(0, 1)))
    assert list(given.masks) == ["00004", "00006"]
    np.testing.assert_array_equal(given.masks["00004"], draw(o2=(0, 2), o7=(3, 5), o255=(6, 7)))
    np.testing.assert_array_equal(given.masks["00006"], draw(o1=(0, 1)))
    assert objects(given) == [
        (1, "00006", "late.png", 10),
        (2, "00004", "first.png", 20),
        (7, "00004", "first.png", 20),
    ]


def test_black_and_white_masks_are_numbered_in_the_order_of_the_options(masks):
    given = read(white("b.png", 5, 6), "00006=" + white("c.png", 0, 3), white("a.png", 0, 2))
    np.testing.assert_array_equal(given.masks["00004"], draw(o1=(5, 6), o3=(0, 2)))
    np.testing.assert_array_equal(given.masks["00006"], draw(o2=(0, 3)))


def test_numbers_follow_the_ids_of_all_index_masks(masks):
    given = read("5=" + white("w.png", 0, 1), index("first.png", o4=(0, 2)))
    assert [(marked.id, marked.frame) for marked in given.objects] == [(4, "00004"), (5, "00005")]


def test_several_files_of_a_frame_with_different_ids_keep_them(masks):
    given = read(index("a.png", o3=(0, 2)), index("b.png", o1=(2, 3), o2=(3, 4)))
    np.testing.assert_array_equal(given.masks["00004"], draw(o3=(0, 2), o1=(2, 3), o2=(3, 4)))


def test_several_files_of_a_frame_with_the_same_value_are_numbered(masks):
    given = read(index("a.png", o1=(0, 2)), index("b.png", o1=(4, 6)), "5=" + index("late.png", o9=(0, 1)))
    np.testing.assert_array_equal(given.masks["00004"], draw(o10=(0, 2), o11=(4, 6)))
    assert [marked.id for marked in given.objects] == [9, 10, 11]


def test_the_later_mask_wins_where_they_overlap(masks, caplog):
    with caplog.at_level("INFO", logger="maskvos"):
        given = read(white("a.png", 0, 5), white("b.png", 3, 7))
    np.testing.assert_array_equal(given.masks["00004"], draw(o1=(0, 3), o2=(3, 7)))
    assert "20 pixels of frame 00004" in caplog.text
    assert [marked.pixels for marked in given.objects] == [30, 40]


def test_void_covers_no_object(masks):
    given = read(index("a.png", o1=(0, 5)), index("b.png", o255=(0, 8), o2=(6, 7)))
    np.testing.assert_array_equal(given.masks["00004"], draw(o255=(0, 8), o1=(0, 5), o2=(6, 7)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["first.png", "6=first.png"], r"object 3 is given by first\.png in frame 00004 already.*\(1 is free\)"),
        (["white.png", "two.png"], r"two\.png: holds the ids 1, 2 and is not the only mask"),
        (["white.png", "white.png"], r"white\.png: object 1 is covered"),
        (["7=first.png"], "--mask 7: no such frame .* change --start and --end"),
        (["small.png"], r"small\.png: the mask is 3x3 .* are 10x12"),
        (["high.png", "5=white.png"], r"white\.png: no id is left"),
    ],
)
def test_masks_that_cannot_be_used(masks, options, message):
    index("first.png", o3=(0, 2))
    index("two.png", o1=(0, 2), o2=(2, 3))
    index("high.png", o254=(0, 2))
    white("white.png", 0, 2)
    write_mask("small.png", np.ones((3, 3), np.uint8))
    with pytest.raises(UserError, match=message):
        read(*options)


def test_a_mask_among_the_frames(masks):
    (masks / "video").mkdir()
    index("video/first.png", o1=(0, 2))
    with pytest.raises(UserError, match="lies among the frames"):
        read("video/first.png")
