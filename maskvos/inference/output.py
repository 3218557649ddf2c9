"""Where ``maskvos segment`` may write: its output replaces a folder, which must hold no input and no foreign file."""

from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from maskvos.errors import UserError
from maskvos.inference.objects_json import is_objects
from maskvos.inference.overlay_video import is_overlay
from maskvos.storage.masks import PALETTE


def check_output(output: Path, source: Path, inputs: Iterable[Path], overwrite: bool) -> None:
    """Make sure that replacing ``output`` destroys no input and nothing but what this command wrote.

    Args:
        output: the folder that will be replaced; it need not exist.
        source: a folder of frames or a video file.
        inputs: the other files and folders that are read.
        overwrite: the user agreed to lose whatever the folder holds; inputs stay protected all the same.

    Raises:
        UserError: says which input or which file would be lost.
    """
    target = output.resolve()
    for path in (source, *inputs):
        folder = path.resolve() if path.is_dir() else path.resolve().parent
        if target == folder or target in folder.parents:
            raise UserError(f"--output {output}: replacing this folder would delete {path}. Name another folder.")
    if source.is_dir() and source.resolve() in target.parents:
        raise UserError(f"--output {output}: lies within the frames of {source}. Name a folder outside.")
    if output.exists() and not output.is_dir():
        raise UserError(f"--output {output}: is a file, expected a folder. Name another one.")
    strange = None if overwrite or not output.is_dir() else _first_strange(output)
    if strange is not None:
        raise UserError(
            f"--output {output}: holds {strange.name}, which this command did not write, and would be replaced as a "
            "whole. Name another folder, or add --overwrite to lose what it holds."
        )


def _first_strange(folder: Path) -> Path | None:
    return next((path for path in sorted(folder.iterdir()) if not _is_own(path)), None)


def _is_own(path: Path) -> bool:
    return _is_mask(path) or is_overlay(path) or is_objects(path)


def _is_mask(path: Path) -> bool:
    """Whether this is a PNG with the palette of `write_mask`; only the file's head is read."""
    if path.suffix != ".png" or path.is_symlink() or not path.is_file():
        return False
    try:
        with Image.open(path) as image:
            return image.format == "PNG" and image.mode == "P" and _colours(image) == PALETTE.tobytes()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False


def _colours(image: Image.Image) -> bytes:
    return bytes(image.palette.palette) if image.palette is not None else b""
