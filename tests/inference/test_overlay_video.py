"""The overlay video: size, rate, pictures, and what cannot be written."""

import cv2
import numpy as np
import pytest

from maskvos.errors import UserError
from maskvos.inference.overlay_video import FILE, FOLDER_RATE, choose_rate, is_overlay, write_overlay
from maskvos.overlays import overlay
from maskvos.storage.masks import write_mask
from tests.inference.stubs import moving_square


def write(folder, height, width, rate=12.5, count=5):
    frames, masks = moving_square(5, height, width)
    for (name, _), mask in zip(frames, masks, strict=True):
        write_mask(folder / f"{name}.png", mask)
    assert list(write_overlay(folder / FILE, frames[:count], folder, rate, (height, width))) == [
        name for name, _ in frames[:count]
    ]
    return [overlay(image, mask) for (_, image), mask in zip(frames[:count], masks, strict=False)]


def read(path):
    capture = cv2.VideoCapture(str(path))
    images = []
    while (found := capture.read())[0]:
        images.append(cv2.cvtColor(found[1], cv2.COLOR_BGR2RGB))
    return capture.get(cv2.CAP_PROP_FPS), images


@pytest.mark.parametrize("size", [(64, 96), (65, 96), (64, 97), (65, 97)])
def test_frames_with_their_masks_at_even_sizes(tmp_path, size):
    expected = write(tmp_path, *size)
    rate, images = read(tmp_path / FILE)
    assert (rate, len(images)) == (12.5, 5)
    assert images[0].shape[:2] == (size[0] + size[0] % 2, size[1] + size[1] % 2)
    for image, right in zip(images, expected, strict=True):
        difference = np.abs(image[: size[0], : size[1]].astype(float) - right)
        assert difference.mean() < 12  # lossy, on noise
    square = images[0][22:34, 22:34].mean((0, 1))  # red with half of the palette's dark red
    np.testing.assert_allclose(square, (174, 5, 5), atol=25)


@pytest.mark.parametrize("rate", [1.0, 23.976, 29.97, 59.94, 240.0])
def test_ordinary_rates(tmp_path, rate):
    write(tmp_path, 64, 96, rate)
    assert read(tmp_path / FILE)[0] == pytest.approx(rate, rel=1e-3)


@pytest.mark.parametrize(
    ("stated", "wanted", "expected"),
    [
        (25.0, None, 25.0),
        (0.0, None, FOLDER_RATE),
        (90000.0, None, FOLDER_RATE),
        (25.0, 6.0, 6.0),
        (29.97002997, None, 29.97),
    ],
)
def test_which_rate(stated, wanted, expected):
    assert choose_rate(stated, wanted) == expected


@pytest.mark.parametrize("wanted", [0.0, -1.0, 1000.0, float("nan")])
def test_rates_out_of_range(wanted):
    with pytest.raises(UserError, match="--overlay-rate"):
        choose_rate(25.0, wanted)


def test_it_is_known_again(tmp_path):
    write(tmp_path, 64, 96)
    assert is_overlay(tmp_path / FILE)
    (tmp_path / "holiday.mp4").write_bytes((tmp_path / FILE).read_bytes())
    assert not is_overlay(tmp_path / "holiday.mp4")
    (tmp_path / FILE).write_bytes(b"a film of one's own")
    assert not is_overlay(tmp_path / FILE)


def test_a_video_that_is_not_complete(tmp_path, monkeypatch):
    monkeypatch.setattr(cv2.VideoCapture, "get", lambda *_: 4.0, raising=False)
    with pytest.raises(UserError, match="not complete"):
        write(tmp_path, 64, 96)


def test_a_place_that_cannot_be_written(tmp_path):
    frames, _ = moving_square(1)
    with pytest.raises(UserError, match=r"cannot encode 96x64.*--no-overlay"):
        list(write_overlay(tmp_path / "absent" / FILE, frames, tmp_path, 10.0, (64, 96)))
