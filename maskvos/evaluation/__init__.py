"""Scores of predicted masks: J and F by the DAVIS and YouTube-VOS protocols. Never imports torch.

Importing it needs numpy and nothing else, `evaluate_masks` OpenCV, too; unusual PNG files are read with Pillow.
"""

from maskvos.evaluation.arrays import SequenceScores, evaluate_masks
from maskvos.evaluation.dataset import evaluate_dataset
from maskvos.evaluation.frames import FrameScores, write_frames
from maskvos.evaluation.result import Result, write_metrics, write_objects
from maskvos.evaluation.tally import Figures, ObjectScores

__all__ = [
    "Figures",
    "FrameScores",
    "ObjectScores",
    "Result",
    "SequenceScores",
    "evaluate_dataset",
    "evaluate_masks",
    "write_frames",
    "write_metrics",
    "write_objects",
]
