"""One file of ``--mask``: an index mask whose values are ids, or a black-and-white picture of one object."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maskvos.datasets.sequence import VOID, object_ids
from maskvos.errors import UserError
from maskvos.storage.masks import read_mask
from maskvos.storage.pillow import open_image

# A grey mask with white and more greys than this is a drawing with soft edges, not a list of ids.
MOST_GREYS = 16


@dataclass(frozen=True)
class MaskFile:
    """``ids`` (H, W) uint8, void as 255; a ``black_and_white`` file marks its object with 1, which is no id."""

    path: Path
    ids: np.ndarray
    black_and_white: bool

    @property
    def objects(self) -> list[int]:
        """Ids, ascending."""
        return object_ids(self.ids)


def read_mask_file(path: Path) -> MaskFile:
    """Read one mask.

    Black-and-white is a PNG of 1 bit a pixel, and a grey or colour PNG whose only values are black (0) and white (255).
    In a palette PNG 255 is DAVIS's void, also where it is alone.

    Raises:
        UserError: the file is absent or damaged, is no PNG, holds colours, marks no object, or has soft edges.
    """
    if path.is_dir():
        raise UserError(
            f"--mask {path}: is a folder. Name mask files, each as FRAME=FILE where it is not the first frame."
        )
    mode, white = _look(path)
    ids = white if white is not None else read_mask(path)
    if mode == "L" and VOID in ids and len(object_ids(ids)) > MOST_GREYS:
        raise UserError(
            f"{path}: white and {len(object_ids(ids))} other greys: a drawing with soft edges, expected one value for "
            "each object. Draw without antialiasing and save without loss, or as a palette PNG if these are ids."
        )
    black_and_white = mode == "1" or white is not None or (mode == "L" and set(np.unique(ids)) <= {0, VOID})
    mask = MaskFile(path, np.minimum(ids, 1) if black_and_white else ids, black_and_white)
    if not mask.objects:
        hint = " 255 in a palette PNG means void." if VOID in ids else ""
        raise UserError(
            f"{path}: no object in this mask.{hint} Mark each object by an id from 1 to {VOID - 1}, or one object in "
            "white on black."
        )
    return mask


def _look(path: Path) -> tuple[str, np.ndarray | None]:
    """The PNG's mode; its pixels as 0 and 255 where a colour PNG is black and white. Says nothing of faults."""
    try:
        with open_image(path) as image:
            if image.format != "PNG" or image.mode not in ("RGB", "RGBA", "LA"):
                return image.mode, None
            colours = np.array(image.convert("RGBA"))
    except (OSError, ValueError):
        return "", None
    grey = colours[..., 0]
    plain = (colours[..., :3] == grey[..., None]).all() and (colours[..., 3] == 255).all()
    return image.mode, grey if plain and set(np.unique(grey)) <= {0, 255} else None
