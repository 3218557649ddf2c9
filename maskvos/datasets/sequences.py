"""Open a dataset in any layout, by its manifest or by its folder."""

import json
from pathlib import Path
from typing import Any

from maskvos.datasets.clips import open_clips
from maskvos.datasets.davis import open_davis
from maskvos.datasets.sequence import Sequence
from maskvos.datasets.youtubevos import open_youtubevos
from maskvos.errors import UserError

__all__ = ["Sequence", "open_dataset", "open_layout", "read_manifest"]


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


def read_manifest(manifest: Path | str | dict[str, Any]) -> dict[str, Any]:
    """The manifest that ``stages/fetch.py`` wrote, as a dictionary.

    Raises:
        UserError: the file is absent or lacks ``layout``, ``root``, ``split`` or ``sequences``.
    """
    source = "manifest" if isinstance(manifest, dict) else str(manifest)
    if not isinstance(manifest, dict):
        try:
            manifest = json.loads(Path(manifest).read_text())
        except (OSError, ValueError) as error:
            raise UserError(f"{source}: not a readable dataset manifest ({error}). Run the fetch stage.") from None
    missing = {"layout", "root", "split", "sequences"} - set(manifest if isinstance(manifest, dict) else ())
    if missing or not isinstance(manifest, dict):
        raise UserError(
            f"{source}: a dataset manifest without {', '.join(sorted(missing))}. Run the fetch stage again."
        )
    return manifest


def open_dataset(manifest: Path | str | dict[str, Any]) -> list[Sequence]:
    """The sequences that a manifest names, in its order.

    Raises:
        UserError: the manifest is damaged, or a sequence or a frame that it counted is gone.
    """
    described = read_manifest(manifest)
    opened = {item.name: item for item in open_layout(described["layout"], described["root"], described["split"])}
    sequences = []
    for entry in described["sequences"]:
        sequence = opened.get(entry["name"])
        if sequence is None or len(sequence.frames) != entry["frames"]:
            found = "none" if sequence is None else len(sequence.frames)
            raise UserError(
                f"{described['root']}: sequence {entry['name']} has {found} of the {entry['frames']} frames that the "
                "manifest counted. Restore the dataset or run the fetch stage again."
            )
        sequences.append(sequence)
    return sequences
