"""Open a dataset folder in any layout."""

from pathlib import Path

from maskvos.datasets.clips import open_clips
from maskvos.datasets.davis import open_davis
from maskvos.datasets.sequence import Sequence
from maskvos.datasets.youtubevos import open_youtubevos
from maskvos.errors import UserError


def open_layout(layout: str, root: Path | str, split: str) -> list[Sequence]:
    """All sequences of a folder in layout ``davis`` (of that split), ``youtubevos`` or ``clips``.

    Raises:
        UserError: the layout is unknown, or the folder does not follow it.
    """
    root = Path(root)
    if not root.is_dir():
        raise UserError(f"{root}: no such dataset folder. Fetch the dataset or correct the path.")
    if layout == "davis":
        return open_davis(root, split)
    if layout == "youtubevos":
        return open_youtubevos(root)
    if layout == "clips":
        return open_clips(root)
    raise UserError(f"{root}: unknown layout {layout!r}. Use davis, youtubevos or clips.")
