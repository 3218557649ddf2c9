"""What the processes of tests/processes.py find imported already."""

import cv2  # noqa: F401
import torch.distributed  # noqa: F401

import maskvos.training.loop  # noqa: F401
