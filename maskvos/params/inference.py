"""The test protocol: the section ``inference``, and what tracking through one video needs of it."""

from typing import Any, Literal

from pydantic import Field

from maskvos.errors import UserError
from maskvos.params.base import Section

# Settings that came later, with what was done before them: what a file that was written then means.
LATER: dict[str, Any] = {
    "first_radius": None,
    "rescale_limit": 1.0,
    "lab_weight": 0.0,
    "layer2_weight": 0.0,
    "layer1_weight": 0.0,
}


def with_later(content: Any) -> Any:
    """Settings of a file that may be older than some of `LATER`; what is no mapping is left for the checks."""
    return LATER | content if isinstance(content, dict) else content


class Matching(Section):
    """How a frame's masks follow from its references, at any resolution (paper 3.3 Testing, CRW)."""

    references: int = Field(ge=0)  # frames before the query, beside the first
    top_k: int = Field(ge=1)
    radius: int = Field(ge=1)  # feature pixels, distance < radius; of the frames before the query
    first_radius: int | None = Field(ge=1)  # of the first frame; null: anywhere in it
    lab_weight: float = Field(ge=0)  # of raw Lab patches in the similarity, beside the features' 1; 0: features alone
    layer2_weight: float = Field(ge=0)  # of the trunk's layer2 in the similarity, likewise
    layer1_weight: float = Field(ge=0)  # of its layer1, which refines matches to quarters of cells; 0: whole cells
    temperature: float = Field(gt=0)
    refinement_rounds: int = Field(ge=0, le=5)
    kept_mask: Literal["coarse", "refined", "mean"]
    pad_with_first: bool
    rescale_limit: float = Field(ge=1)  # a class that is shown is scaled to a peak of 1, at most by this; 1: none is

    @property
    def early_weights(self) -> tuple[float, float]:
        """Those of layer2 and layer1, as what extracts features takes them."""
        return self.layer2_weight, self.layer1_weight


class Tracking(Matching):
    """The same with the resolution of one video: its short side, None for native."""

    short_side: int | None = Field(ge=32)


class ShortSides(Section):
    """Test resolution by the layout of the evaluation set: the short side, null for native."""

    davis: int | None = Field(ge=32)
    youtubevos: int | None = Field(ge=32)


class Inference(Matching):
    """The section ``inference`` of an experiment."""

    short_side: ShortSides

    def at(self, short_side: int | None) -> Tracking:
        """The settings for a video that is worked on at ``short_side``."""
        shared: dict[str, Any] = {name: getattr(self, name) for name in Matching.model_fields}
        return Tracking(short_side=short_side, **shared)

    def for_layout(self, layout: str) -> Tracking:
        """The settings for an evaluation set.

        Raises:
            UserError: the layout has no first masks to track.
        """
        if layout not in ShortSides.model_fields:
            known = " or ".join(ShortSides.model_fields)
            raise UserError(f"a dataset in the layout '{layout}' has no first masks to track; use {known}.")
        return self.at(getattr(self.short_side, layout))
