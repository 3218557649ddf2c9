"""The scores of an evaluation as files, also where there is nothing to score against."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from maskvos.console import log
from maskvos.datasets.sequences import Sequence
from maskvos.datasets.youtubevos import ground_truth_root
from maskvos.evaluation.dataset import evaluate_dataset
from maskvos.evaluation.result import write_result
from maskvos.evaluation.statistics import FIGURES
from maskvos.storage.atomic import atomic_file


def score_predictions(
    manifest: dict[str, Any],
    sequences: list[Sequence],
    predictions: Path,
    names: tuple[str, str],
    metrics: Path,
    objects: Path,
) -> None:
    """Write metrics and objects; without ground truth, metrics that say so and a table without rows.

    Args:
        manifest: of the set.
        sequences: of the set.
        predictions: SEQUENCE/FRAME.png.
        names: of the set and of the row.
        metrics: JSON to write.
        objects: CSV to write.

    Raises:
        UserError: predictions do not fit the ground truth, or a file cannot be written.
    """
    dataset, row = names
    if not has_ground_truth(manifest, sequences):
        log.info("%s: no ground truth beyond the first masks, nothing to score", dataset)
        empty = {"protocol": "none: no ground truth beyond the first masks", "set": dataset, "row": row}
        with atomic_file(metrics) as partial:
            partial.write_text(json.dumps({**empty, "global": {}, "sequences": {}, "objects": {}}, indent=1) + "\n")
        with atomic_file(objects) as partial:
            partial.write_text(",".join(("object", *FIGURES)) + "\n")
        return
    result = replace(evaluate_dataset(manifest, predictions), set=dataset, row=row)
    write_result(result, metrics, objects)
    log.info("%s: J&F %.4f", row, result.mean["J&F_mean"])


def has_ground_truth(manifest: dict[str, Any], sequences: list[Sequence]) -> bool:
    """Whether there is any annotation beside the given ones (test-dev and YouTube-VOS valid come without)."""
    if manifest["layout"] == "youtubevos" and ground_truth_root(Path(manifest["root"])) is not None:
        return True
    return any(set(item.annotated_frames) - set(item.first_frames.values()) for item in sequences)
