"""What made some weights, for their description: parameters and data of each stage, nothing that differs by machine."""

from pathlib import Path
from typing import Any

from maskvos.params.reading import StageParams
from maskvos.storage.descriptions import read_description, weights_file
from maskvos.storage.fingerprints import file_fingerprint
from maskvos.storage.frames import FrameStore


def training_record(
    stage: str, params: StageParams, precision: str, frames: FrameStore, start: Path | None = None, **extra: Any
) -> dict[str, Any]:
    """The stages behind some weights by name, each with its parameters, data and what ``extra`` says.

    The same parameters and data give the same record, whichever tool, folder or commit they run in: no time, no path
    and no commit is in it. `maskvos weights export` adds the commit.

    Args:
        precision: the one that was used.
        start: the file of weights that the stage started from, whose own record is carried on.

    Raises:
        UserError: ``start`` is not a weights file of maskvos.
    """
    earlier = read_description(start).get("training", {}) if start else {}
    own = {"parameters": params.record(), "used_precision": precision, **extra}
    return {**earlier, stage: {**own, "data": {"dataset": frames.dataset, "frames": frames.fingerprint}}}


def weights_record(weights: Path) -> dict[str, Any]:
    """For the stage's own record: which weights it is about, so that `maskvos weights export` can tell."""
    return {"weights_sha256": file_fingerprint(weights_file(weights))}
