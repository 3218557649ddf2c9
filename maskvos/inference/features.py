"""Features that label propagation can match: encoder keys, trunk features, converted networks'."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor
from torch.nn import functional

from maskvos.errors import UserError
from maskvos.inference.beside import centred, with_layer2
from maskvos.inference.geometry import pad_to_stride
from maskvos.networks.encoder import Features, VisualEncoder
from maskvos.networks.features import FeatureNetwork
from maskvos.networks.images import normalise
from maskvos.training.device import autocast


class Matched(NamedTuple):
    """What is matched of a picture: ``key`` (1, D, h, w), and ``fine`` (1, C, 2h, 2w) L2-normalised, by which the
    parts of matched cells are ranked; None where matches are whole cells."""

    key: Tensor
    fine: Tensor | None = None


FeatureExtractor = Callable[[Tensor], Tensor | Matched]
"""(1, 3, H', W') uint8 RGB at working resolution -> (1, D, h, w) L2-normalised, h = ceil(H' / stride), or the same with
something finer beside it."""


def network_input(picture: Tensor) -> Tensor:
    """(1, 3, H', W') uint8 -> normalised and zero-padded (the mean colour) to multiples of 8."""
    return pad_to_stride(normalise(picture))


def encoder_keys(
    encoder: VisualEncoder, precision: str, layer2_weight: float = 0.0, layer1_weight: float = 0.0
) -> FeatureExtractor:
    """E's keys (Eq. 5), which correspondence learning trains; layer2 and layer1 beside them if they have a weight."""
    return _extractor(encoder, precision, lambda found: found.key.float(), layer2_weight, layer1_weight)


def trunk_features(
    encoder: VisualEncoder, precision: str, layer2_weight: float = 0.0, layer1_weight: float = 0.0
) -> FeatureExtractor:
    """E's trunk without its head, L2-normalised: what the DINO stage trains; layer2 and layer1 beside it likewise."""
    return _extractor(
        encoder, precision, lambda found: functional.normalize(found.trunk.float(), dim=1), layer2_weight, layer1_weight
    )


def _extractor(
    encoder: VisualEncoder,
    precision: str,
    key: Callable[[Features], Tensor],
    layer2_weight: float,
    layer1_weight: float,
) -> FeatureExtractor:
    encoder.eval()

    def extract(picture: Tensor) -> Matched:
        with autocast(picture.device, precision):
            found = encoder(network_input(picture))
        fine = centred(found.skip4) if layer1_weight > 0 else None
        return Matched(with_layer2(key(found), found.skip8, layer2_weight), fine)

    return extract


def converted_features(
    network: FeatureNetwork, precision: str, layer2_weight: float = 0.0, layer1_weight: float = 0.0
) -> FeatureExtractor:
    """What a converted network gives, ``network.stride`` pixels apart.

    Raises:
        UserError: layer2 or layer1 has a weight, which such a network does not hand out.
    """
    if max(layer2_weight, layer1_weight) > 0:
        raise UserError(
            "a converted checkpoint is matched by its own features alone. Set inference.layer2_weight=0 and "
            "inference.layer1_weight=0."
        )
    network.eval()

    def extract(picture: Tensor) -> Tensor:
        with autocast(picture.device, precision):
            return network(picture)

    return extract
