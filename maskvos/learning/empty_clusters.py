"""Collapse is watched in the clustering too: rounds that leave most clips nothing to learn from are stopped."""

from typing import Any

from maskvos.console import log
from maskvos.errors import UserError
from maskvos.params.collapse import Collapse


def judge_clustering(clips: dict[str, dict[str, Any]], limits: Collapse, oversize: float) -> None:
    """Look at the statistics of a round of clustering (`maskvos.learning.pseudo_masks.clip_statistics`).

    Raises:
        UserError: more than ``limits.max_empty_clips`` of the clips have nothing left to learn from, or one cluster
            only; with `warn` this is said and the round is kept, unless no clip at all has anything left.
    """
    empty = sum(clip["kept"] == 0 for clip in clips.values())
    whole = sum(len(clip["sizes"]) == 1 for clip in clips.values())
    useless = sum(clip["kept"] == 0 or len(clip["sizes"]) == 1 for clip in clips.values())
    if empty < len(clips) and useless <= limits.max_empty_clips * len(clips):
        return
    seen = (
        f"recluster: the clusters have collapsed. Of {len(clips)} clips, {empty} have no cluster left below "
        f"clustering.oversize {oversize:g} and in {whole} one cluster holds all pixels; collapse.max_empty_clips is "
        f"{limits.max_empty_clips:g}."
    )
    if limits.action == "stop" or empty == len(clips):
        raise UserError(
            f"{seen} Look at the weights: their features may be the same everywhere (the columns similarity and "
            "effective_rank of their curves.csv). Or raise clustering.oversize or clustering.clusters."
        )
    log.warning("%s collapse.action is warn: the round goes on", seen)
