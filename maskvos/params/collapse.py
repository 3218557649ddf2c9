"""When a training counts as collapsed, and what happens then."""

from typing import Literal

from pydantic import Field

from maskvos.params.base import Section


class Collapse(Section):
    """Limits for what the curves and the clustering say of the features.

    They decide whether a run goes on, never what it writes. No training stage reruns because of them, and a stopped run
    goes on from its checkpoint after they were changed.
    """

    action: Literal["stop", "warn"]
    non_finite: Literal["stop", "skip"]  # a step whose loss or gradient is not a number
    max_similarity: float = Field(ge=-1, le=1)  # mean cosine of random pixel pairs
    min_effective_rank: float = Field(ge=1)  # directions that the features vary in
    min_information: float = Field(ge=0)  # nats that DINO's teacher tells about an image
    max_empty_clips: float = Field(ge=0, le=1)  # share of clips whose clustering left nothing to learn from
    warmup: float = Field(ge=0, le=1)  # share of a stage's steps that is not judged
    patience: int = Field(ge=1)  # rows of the curve in a row
