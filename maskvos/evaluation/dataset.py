"""Evaluate predictions of a dataset that its manifest describes, by the protocol of its layout."""

from pathlib import Path
from typing import Any

from maskvos.errors import UserError
from maskvos.evaluation.davis import evaluate_davis
from maskvos.evaluation.result import Result
from maskvos.evaluation.scoring import Progress
from maskvos.evaluation.youtubevos import evaluate_youtubevos


def evaluate_dataset(
    manifest: dict[str, Any], predictions: Path | str, processes: int = 1, progress: Progress | None = None
) -> Result:
    """J and F of ``predictions/SEQUENCE/FRAME.png`` for the sequences of a manifest (see `open_dataset`).

    Raises:
        UserError: the layout has no ground truth, or the predictions do not fit it; see `score_tasks`.
    """
    names = [entry["name"] for entry in manifest["sequences"]]
    root, layout = manifest["root"], manifest["layout"]
    if layout == "davis":
        return evaluate_davis(root, predictions, manifest["split"], processes, progress, names)
    if layout == "youtubevos":
        return evaluate_youtubevos(root, predictions, processes, progress, names)
    raise UserError(f"{root}: layout {layout!r} has no annotations to score against. Use davis or youtubevos.")
