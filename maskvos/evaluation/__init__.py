"""Scores of predicted masks: J and F by the DAVIS and YouTube-VOS protocols. Never imports torch."""

from maskvos.evaluation.dataset import evaluate_dataset
from maskvos.evaluation.result import Result, write_metrics, write_objects

__all__ = ["Result", "evaluate_dataset", "write_metrics", "write_objects"]
