"""The masks that ``maskvos segment`` starts from: which files, for which frames, and which ids their objects get."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from maskvos.console import log
from maskvos.datasets.sequence import VOID, object_ids
from maskvos.errors import UserError
from maskvos.inference.mask_files import MaskFile, read_mask_file
from maskvos.inference.span import Span, find_frame


@dataclass(frozen=True)
class Marked:
    """One object: its id, where it is given, by which file, and how many pixels that marks."""

    id: int
    frame: str
    file: Path
    pixels: int


@dataclass(frozen=True)
class GivenMasks:
    """``masks``: frame -> (H, W) uint8 ids that are given there; ``objects`` by ascending id."""

    masks: dict[str, np.ndarray]
    objects: list[Marked]


def split_option(text: str) -> tuple[str | None, Path]:
    """``FRAME=FILE`` or ``FILE``; a file whose own name holds ``=`` is found as it is."""
    frame, equals, file = text.partition("=")
    return (None, Path(text)) if not equals or Path(text).exists() else (frame, Path(file))


def read_given(options: Iterable[str], span: Span, size: tuple[int, ...]) -> GivenMasks:
    """The masks of all ``--mask`` options.

    An index mask keeps its ids. A black-and-white mask is one object, and so is each of several files for one frame
    that hold one value each but not a different one: these objects are numbered in the order of the options, from one
    above the highest id that an index mask keeps. Where masks of one frame overlap, the later option wins.

    Args:
        size: (height, width) of the frames.

    Raises:
        UserError: a mask cannot be used, has another size, is for a frame that is not segmented, or an id is given
            twice.
    """
    files: dict[str, list[MaskFile]] = {}
    order: list[tuple[str, MaskFile]] = []
    for text in options:
        frame, path = split_option(text)
        name = span.frames[0] if frame is None else span.frames[find_frame(span, frame, "--mask")]
        _check_place(path, span)
        mask = read_mask_file(path)
        _check_size(mask, span, size)
        files.setdefault(name, []).append(mask)
        order.append((name, mask))
    kept = {name: group for name, group in files.items() if _has_ids(group)}
    _check_ids([(name, mask) for name, group in kept.items() for mask in group])
    following = max(chain([0], *(mask.objects for group in kept.values() for mask in group))) + 1
    masks: dict[str, np.ndarray] = {}
    objects: dict[int, tuple[str, Path]] = {}
    for name, mask in order:
        ids = mask.ids
        if name not in kept:
            ids = _numbered(mask, following)
            following += 1
        objects.update(dict.fromkeys(object_ids(ids), (name, mask.path)))
        masks[name] = _lay_over(masks.get(name), ids, mask.path, name)
    return GivenMasks(masks, [_count(identity, *objects[identity], masks) for identity in sorted(objects)])


def _has_ids(group: list[MaskFile]) -> bool:
    """Whether the files of one frame keep their ids.

    Raises:
        UserError: they can neither keep them nor be numbered.
    """
    ids = [identity for mask in group for identity in mask.objects]
    if not any(mask.black_and_white for mask in group) and len(set(ids)) == len(ids):
        return True
    several = next((mask for mask in group if len(mask.objects) > 1), None)
    if several is not None:
        raise UserError(
            f"{several.path}: holds the ids {', '.join(map(str, several.objects))} and is not the only mask of its "
            "frame. Give each object there a different id, or one file with one object each."
        )
    return False


def _check_ids(masks: list[tuple[str, MaskFile]]) -> None:
    seen: dict[int, tuple[str, MaskFile]] = {}
    for name, mask in masks:
        for identity in mask.objects:
            first, other = seen.setdefault(identity, (name, mask))
            if other is not mask:
                free = next(number for number in range(1, VOID + 1) if all(number not in m.objects for _, m in masks))
                raise UserError(
                    f"{mask.path}: object {identity} is given by {other.path} in frame {first} already. An object is "
                    f"given once; a new one needs an id of its own ({free} is free) or a black-and-white mask."
                )


def _numbered(mask: MaskFile, identity: int) -> np.ndarray:
    if identity >= VOID:
        raise UserError(f"{mask.path}: no id is left for this object, the highest is {VOID - 1}. Lower the ids in use.")
    ids = np.zeros_like(mask.ids)
    ids[mask.ids == mask.objects[0]] = identity
    return ids


def _lay_over(below: np.ndarray | None, ids: np.ndarray, path: Path, frame: str) -> np.ndarray:
    """The masks of a frame joined: a later object covers an earlier one, void only what nobody marked."""
    if below is None:
        return ids.copy()
    marked = (ids > 0) & (ids < VOID)
    doubled = int((marked & (below > 0) & (below < VOID)).sum())
    if doubled:
        log.info(
            "%s: %d pixels of frame %s are marked by an earlier mask too; the later one has them", path, doubled, frame
        )
    return np.where(marked | (below == 0), ids, below)


def _count(identity: int, frame: str, path: Path, masks: dict[str, np.ndarray]) -> Marked:
    pixels = int((masks[frame] == identity).sum())
    if not pixels:
        raise UserError(
            f"{path}: object {identity} is covered by the masks after it, or the file is given twice. Give it later or "
            "once, or mend the masks."
        )
    return Marked(identity, frame, path, pixels)


def _check_size(mask: MaskFile, span: Span, size: tuple[int, ...]) -> None:
    if mask.ids.shape != size:
        raise UserError(
            f"{mask.path}: the mask is {mask.ids.shape[0]}x{mask.ids.shape[1]} (height x width), the frames of "
            f"{span.path} are {size[0]}x{size[1]}. Draw the mask at the size of the video."
        )


def _check_place(path: Path, span: Span) -> None:
    """A mask among the frames would be segmented as one of them."""
    if not span.is_video and path.exists() and path.resolve().parent == span.path.resolve():
        raise UserError(f"--mask {path}: lies among the frames and would be taken for one. Move it to another folder.")
