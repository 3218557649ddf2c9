"""Open a dataset by its manifest."""

import json
from pathlib import Path
from typing import Any

from maskvos.datasets.readers import open_layout
from maskvos.datasets.restore import restore
from maskvos.datasets.sequence import Sequence
from maskvos.errors import UserError

__all__ = ["Sequence", "open_dataset", "open_layout", "read_manifest"]


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


def open_dataset(manifest: Path | str | dict[str, Any], threads: int = 0) -> list[Sequence]:
    """The sequences that a manifest names, in its order; a folder that is not on this machine is obtained again.

    Args:
        manifest: its file, or what `read_manifest` gave.
        threads: processes for making generated videos again, 0 for all the cores that this process may use.

    Raises:
        UserError: the manifest is damaged, the dataset is absent and cannot be obtained as it was, or a sequence or a
            frame that the manifest counted is gone.
    """
    described = read_manifest(manifest)
    restore(described, threads)
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
