"""What can be wrong with the mask of one frame."""

from pathlib import Path

import numpy as np
from PIL import Image

from maskvos.storage.masks import write_mask


def save_colours(path: Path):
    Image.new("RGB", (10, 8), (128, 0, 0)).save(path)


MISTAKES = {
    "missing": (Path.unlink, "lacks frame 00002"),
    "size": (lambda path: write_mask(path, np.zeros((8, 11), np.uint8)), "11x8.*10x8"),
    "id": (lambda path: write_mask(path, np.full((8, 10), 3, np.uint8)), "holds id 3, the sequence has 1, 2"),
    "grey levels": (lambda path: write_mask(path, np.full((8, 10), 255, np.uint8)), "holds id 255"),
    "colours": (save_colours, "mode RGB"),
    "damaged": (lambda path: path.write_bytes(path.read_bytes()[:60]), "damaged"),
}
