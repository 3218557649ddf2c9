"""Networks that only give features to match: converted checkpoints of other methods, as their files describe them."""

from typing import Annotated, Literal

from pydantic import Field

from maskvos.params.base import Section
from maskvos.params.method import Backbone

Channels = Annotated[list[float], Field(min_length=3, max_length=3)]
"""One number for each of R, G, B."""
Padding = Literal["zeros", "reflect"]


class ResNetFeatures(Backbone):
    """The last layer's map of a ResNet at 1/8 of the image's resolution."""

    family: Literal["resnet"] = "resnet"
    padding: Padding  # of every convolution that pads


class ViTFeatures(Section):
    """The last block's patch tokens, after the last norm."""

    family: Literal["vit"] = "vit"
    patch: int = Field(ge=1)  # pixels, the stride of the grid
    width: int = Field(ge=1)
    depth: int = Field(ge=1)
    heads: int = Field(ge=1)
    positions: int = Field(ge=1)  # side of the square grid that the position embedding was learned on


class FeatureNetworkSettings(Section):
    """The network, and how its authors' test code normalises images: (RGB / 255 - mean) / std."""

    network: Annotated[ResNetFeatures | ViTFeatures, Field(discriminator="family")]
    mean: Channels
    std: Channels

    @property
    def stride(self) -> int:
        """Pixels from one cell of the features to the next."""
        return self.network.patch if isinstance(self.network, ViTFeatures) else 8
