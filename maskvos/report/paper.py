"""The numbers of the paper, Unified Mask Embedding and Correspondence Learning for Self-Supervised Video Segmentation.

Li et al., CVPR 2023, copied from its tables.

All in percent. ``J`` and ``F`` are means, ``Jr`` and ``Fr`` recalls at 0.5; the paper prints no decay. Every row's J&F
equals the mean of its J and F within rounding, which a test holds.
"""

from typing import NamedTuple


class DavisNumbers(NamedTuple):
    """One row of a DAVIS-2017 val table; None where the paper prints no number."""

    table: str
    method: str
    mean: float
    J: float
    Jr: float | None
    F: float
    Fr: float | None


class YouTubeNumbers(NamedTuple):
    """One row of Table 3, YouTube-VOS val; ``mean`` averages the four others."""

    table: str
    method: str
    mean: float
    J_seen: float
    F_seen: float
    J_unseen: float
    F_unseen: float


DAVIS_VAL = (
    DavisNumbers("4a", "L_short alone, ResNet-18", 57.4, 55.8, None, 58.9, None),
    DavisNumbers("4a", "L_long alone, ResNet-18", 67.2, 64.9, None, 69.5, None),
    DavisNumbers("4a", "L_short + L_long (correspondence only), ResNet-18", 68.8, 66.7, None, 70.9, None),
    DavisNumbers("4a", "L_seg alone, ResNet-18", 62.3, 60.5, None, 64.0, None),
    DavisNumbers("1, 4a", "full method, ResNet-18", 74.5, 71.6, 82.9, 77.4, 86.9),
    DavisNumbers("1", "full method, ResNet-50", 75.6, 73.3, 83.6, 77.8, 87.3),
)

YOUTUBE_VOS_VAL = (
    YouTubeNumbers("3", "full method, ResNet-18", 71.6, 71.0, 74.2, 66.0, 75.3),
    YouTubeNumbers("3", "full method, ResNet-50", 72.4, 71.7, 74.6, 67.0, 76.2),
)

REMARK = (
    "Unless the preset is one of the paper's, they are not measured on the same footing: data, image size, length of "
    "training and the annotated sequences differ. They stand together to show the distance and the order of the rows, "
    "not to be subtracted."
)
