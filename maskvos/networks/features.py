"""Networks that only give features to match, such as converted checkpoints, and their files."""

from pathlib import Path

from pydantic import ValidationError
from torch import Tensor, nn
from torch.nn import functional

from maskvos.errors import UserError
from maskvos.networks.files import fill
from maskvos.networks.images import normalise
from maskvos.networks.trunk import Trunk, TrunkMaps
from maskvos.networks.vit import VisionTransformer
from maskvos.params.features import FeatureNetworkSettings, Padding, ViTFeatures
from maskvos.storage.descriptions import weights_file
from maskvos.storage.weights import load_weights

KIND = "features"


class FeatureNetwork(nn.Module):
    """Images to features as the authors' test code makes them, whatever the architecture."""

    def __init__(self, settings: FeatureNetworkSettings) -> None:
        super().__init__()
        self.settings = settings
        self.network: nn.Module
        if isinstance(settings.network, ViTFeatures):
            self.network = VisionTransformer(settings.network)
        else:
            self.network = Trunk(settings.network)
            _set_padding(self.network, settings.network.padding)

    @property
    def stride(self) -> int:
        """Pixels from one cell to the next."""
        return self.settings.stride

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W) uint8 RGB of any size -> (B, D, h, w) float32, L2-normalised; h = ceil(H / stride)."""
        output = self.network(normalise(pictures, self.settings.mean, self.settings.std))
        maps = output.last if isinstance(output, TrunkMaps) else output
        return functional.normalize(maps.float(), dim=1)


def _set_padding(network: nn.Module, mode: Padding) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and any(module.padding):
            module.padding_mode = mode


def load_features(path: Path | str) -> FeatureNetwork:
    """The network of a converted checkpoint, by its folder or file.

    Raises:
        UserError: the file is absent, damaged, foreign, or no converted checkpoint.
    """
    path = weights_file(path)
    tensors, description = load_weights(path)
    if description.get("kind") != KIND:
        raise UserError(
            f"{path}: holds {description.get('kind')!r}, expected a checkpoint that `maskvos convert` converted."
        )
    try:
        settings = FeatureNetworkSettings.model_validate(description.get("networks"))
    except ValidationError as error:
        raise UserError(
            f"{path}: the networks in its description cannot be built ({error.error_count()} fields are wrong or "
            "missing). Convert the checkpoint again."
        ) from error
    network = FeatureNetwork(settings)
    fill(network.network, tensors, path)
    return network
