"""Image files of any kind, opened by Pillow with what it passes over: checksums."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image


@contextmanager
def open_image(source: Path | bytes) -> "Iterator[Image.Image]":
    """The image in a file or in its bytes, for a block that decodes it.

    Pillow decodes a PNG whose data do not have their checksum, and gives other pixels than were saved; here that is an
    error, as is an image so large that it may be meant to fill the memory.

    Raises:
        OSError, ValueError: the file is absent or damaged, or is no image; also where the block's decoding finds it so.
    """
    from PIL import Image  # here, so that the evaluation of arrays and of most masks runs without Pillow

    data = source if isinstance(source, bytes) else source.read_bytes()
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.format == "PNG":
                with Image.open(io.BytesIO(data)) as other:  # nothing can be decoded after `verify`
                    other.verify()
            yield image
    except (SyntaxError, IndexError, Image.DecompressionBombError) as error:  # Pillow's words for a damaged PNG
        raise ValueError(str(error)) from error
