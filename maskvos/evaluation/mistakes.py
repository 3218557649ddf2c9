"""A picture of what one prediction gets wrong: hits, false alarms and misses, the true outline, a caption.

Green, orange and magenta are told apart with any colour vision (after Okabe and Ito). The view follows small objects,
which are but a few pixels of the whole frame, and keeps the frame's proportions.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

HIT, FALSE, MISSED = (0, 158, 115), (230, 159, 0), (204, 60, 140)
LEGEND = {"hit": HIT, "false alarm": FALSE, "missed": MISSED}
WIDTH = 960  # pixels of the view: text and outlines are readable at any size of the frame
_OPACITY = 0.55
_SMALLEST_VIEW = 0.3  # of the frame's width: enough around a small object to know the place
_ROOM = 1.6  # the view's extent, in that of both masks
_GREY = 96  # where the dataset has no images
_BAR, _PAPER, _INK = 64, (24, 26, 30), (240, 240, 240)
_OTHERS = (165, 165, 165)


@dataclass(frozen=True)
class Caption:
    """``title`` stands on the left of the first line, ``scores`` on the right."""

    title: str
    scores: str


def draw_mistakes(
    image: np.ndarray | None, truth: np.ndarray, prediction: np.ndarray, caption: Caption, others: np.ndarray
) -> np.ndarray:
    """(height, `WIDTH`, 3) uint8 RGB.

    Args:
        image: (H, W, 3) uint8 RGB of any size, or None: a grey field.
        truth: (H, W) bool, the object in the ground truth.
        prediction: (H, W) bool, the object as predicted.
        caption: text below the view.
        others: (H, W) bool, other objects of the ground truth, outlined in grey: a false alarm is often one of them.
    """
    height, width = truth.shape
    top, left, rows, columns = _view(truth | prediction)
    window = (slice(top, top + rows), slice(left, left + columns))
    frame, size = _background(image, (width, height)), (WIDTH, max(1, round(WIDTH * rows / columns)))
    view = cv2.resize(frame[window], size, interpolation=cv2.INTER_AREA if columns > WIDTH else cv2.INTER_CUBIC)
    true, said, beside = (_enlarge(mask[window], size) for mask in (truth, prediction, others))
    for colour, part in ((HIT, true & said), (FALSE, said & ~true), (MISSED, true & ~said)):
        view[part] = np.round((1 - _OPACITY) * view[part] + _OPACITY * np.array(colour))
    _outline(view, beside, _OTHERS, 1)
    _outline(view, true, (0, 0, 0), 3)  # a dark rim: the white line is seen on any ground
    _outline(view, true, (255, 255, 255), 2)
    if (rows, columns) != (height, width):
        _locate(view, frame, (left, top, left + columns, top + rows), true | said)
    return np.vstack((view, _bar(caption, bool(beside.any()))))


def _enlarge(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    enlarged: np.ndarray = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    return enlarged


def _view(masks: np.ndarray) -> tuple[int, int, int, int]:
    """Top, left, rows and columns of the part to show, in the frame's proportions; all where nothing is."""
    height, width = masks.shape
    left, top, across, down = cv2.boundingRect(masks.astype(np.uint8))
    if not across:
        return 0, 0, height, width
    share = min(1.0, max(_ROOM * across / width, _ROOM * down / height, _SMALLEST_VIEW))
    rows, columns = max(1, round(share * height)), max(1, round(share * width))
    start = (top + down / 2 - rows / 2, left + across / 2 - columns / 2)
    return (
        round(min(max(start[0], 0), height - rows)),
        round(min(max(start[1], 0), width - columns)),
        rows,
        columns,
    )


def _background(image: np.ndarray | None, size: tuple[int, int]) -> np.ndarray:
    """The frame with half of its colour taken out, so that the tints stand out."""
    if image is None:
        return np.full((size[1], size[0], 3), _GREY, np.uint8)
    if image.shape[1::-1] != size:
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return cv2.addWeighted(image, 0.5, cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), 0.5, 0)


def _outline(view: np.ndarray, mask: np.ndarray, colour: tuple[int, int, int], thickness: int) -> None:
    """Around the mask, so that the tint of thin parts is not covered."""
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * thickness + 1, 2 * thickness + 1))
    view[(cv2.dilate(mask.astype(np.uint8), disk) > 0) & ~mask] = colour


def _locate(view: np.ndarray, frame: np.ndarray, window: tuple[int, int, int, int], marked: np.ndarray) -> None:
    """A small map in the corner where it hides least of what is ``marked``: the frame, and which part the view is."""
    width = WIDTH // 6
    scale = width / frame.shape[1]
    small = cv2.resize(frame, (width, max(1, round(scale * frame.shape[0]))), interpolation=cv2.INTER_AREA)
    left, top, right, bottom = (round(scale * place) for place in window)
    cv2.rectangle(small, (left, top), (right, bottom), (0, 0, 0), 3)
    cv2.rectangle(small, (left, top), (right, bottom), (255, 255, 255), 1)
    small = cv2.copyMakeBorder(small, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=_PAPER)[: view.shape[0]]
    rows, columns = small.shape[:2]
    corners = [(y, x) for y in (slice(rows), slice(-rows, None)) for x in (slice(-columns, None), slice(columns))]
    view[min(corners, key=lambda corner: np.count_nonzero(marked[corner]))] = small


def _bar(caption: Caption, others: bool) -> np.ndarray:
    """(`_BAR`, `WIDTH`, 3): the caption and the legend; ``others`` says whether other objects are outlined."""
    bar = Image.new("RGB", (WIDTH, _BAR), _PAPER)
    draw = ImageDraw.Draw(bar)
    large, small = ImageFont.load_default(size=20), ImageFont.load_default(size=15)
    draw.text((14, 8), caption.title, _INK, large)
    draw.text((WIDTH - 14, 8), caption.scores, _INK, large, anchor="ra")
    x = 14.0
    lines = {"ground truth": (255, 255, 255), **({"other objects": _OTHERS} if others else {})}
    for name, colour in (lines | LEGEND).items():
        draw.rectangle((x, 41, x + 13, 54), None if name in lines else colour, colour, 1 if colour == _OTHERS else 2)
        draw.text((x + 20, 39), name, (190, 190, 190), small)
        x += 20 + draw.textlength(name, small) + 24
    return np.array(bar)
