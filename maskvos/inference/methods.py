"""The two ways to turn references into a query's masks: label propagation and the full method."""

from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor

from maskvos.inference.beside import centred, with_layer2
from maskvos.inference.features import FeatureExtractor, Matched, network_input
from maskvos.inference.geometry import STRIDE, Geometry, pad_to_stride, to_working
from maskvos.networks.aggregation import soft_aggregate
from maskvos.networks.encoder import Features
from maskvos.networks.model import MaskVOS
from maskvos.params.inference import Matching
from maskvos.training.device import autocast, for_device

# Objects that V and D take at once, by device. On a processor one is as fast as seven (240x432, one thread, fp32: 2.6 s
# against 2.8) and needs the least memory; a GPU wants batches, and 8 objects at 480x854 are about 2 GB in bf16.
OBJECTS_AT_ONCE = {"cpu": 1, "cuda": 8}


@dataclass(frozen=True)
class Frame:
    """Working resolution: key (D, h, w), and what refines its matches, if anything does, ``fine`` (C, 2h, 2w); for the
    full method also the network's input and E's features."""

    key: Tensor
    geometry: Geometry
    fine: Tensor | None = None
    image: Tensor | None = None
    features: Features | None = None

    @property
    def fine_dim(self) -> int:
        """C of ``fine``, 0 where there is none."""
        return 0 if self.fine is None else len(self.fine)


class Method(Protocol):
    """What the tracker needs of a method. N is the number of objects known so far."""

    kept_mask: Literal["coarse", "refined", "mean"]
    stride: int  # pixels from one cell of the features to the next

    def encode(self, picture: Tensor, geometry: Geometry) -> Frame:
        """(1, 3, H', W') uint8 -> the frame's features."""
        ...

    def predict(self, frame: Frame, coarse: Tensor, gathered: Tensor | None) -> Tensor:
        """Coarse masks (N, h, w), or of cells' parts (N, 2h, 2w), and gathered values (N, D', h, w), if any ->
        probabilities (N+1, H', W')."""
        ...

    def values(self, frame: Frame, masks: Tensor) -> Tensor | None:
        """Masks (N, H', W') of a finished frame -> values (N, D', h, w), or None."""
        ...


def with_background(masks: Tensor) -> Tensor:
    """(N, H, W) object probabilities -> (N+1, H, W) with what is missing to 1 as channel 0."""
    return torch.cat([(1 - masks.sum(0, keepdim=True)).clamp_min(0), masks])


class LabelPropagation:
    """Labels are copied along the affinity and nothing else (Eq. 2 and 8)."""

    kept_mask: Literal["coarse", "refined", "mean"] = "coarse"

    def __init__(self, features: FeatureExtractor, stride: int = STRIDE) -> None:
        self.features, self.stride = features, stride

    def encode(self, picture: Tensor, geometry: Geometry) -> Frame:
        """See ``Method``."""
        found = self.features(picture)
        key, fine = found if isinstance(found, Matched) else Matched(found)
        return Frame(key[0], geometry, None if fine is None else fine[0])

    def predict(self, frame: Frame, coarse: Tensor, gathered: Tensor | None) -> Tensor:
        """The coarse masks, enlarged."""
        return with_background(to_working(coarse, frame.geometry))

    def values(self, frame: Frame, masks: Tensor) -> Tensor | None:
        """None: nothing but masks is propagated."""
        return None


class MaskEmbedding:
    """The full method (Eq. 5 to 9): E once a frame, V and D for each object, joined by soft aggregation.

    Args:
        rounds: refinement rounds. Round 1 is Eq. 9 with the coarse mask of Eq. 8; each later round puts the last
            prediction in its place; with 0, the gathered values of Eq. 7 are decoded without V of the query.
        layer2_weight: of E's layer2 in the similarity, beside the keys' 1.
        layer1_weight: of E's layer1 where matches are refined to parts of cells; 0: they are not.
    """

    stride = STRIDE

    def __init__(
        self,
        model: MaskVOS,
        rounds: int,
        kept_mask: Literal["coarse", "refined", "mean"],
        precision: str,
        layer2_weight: float = 0.0,
        layer1_weight: float = 0.0,
    ) -> None:
        self.model = model.eval()
        self.rounds, self.kept_mask, self.precision = rounds, kept_mask, precision
        self.layer2_weight, self.layer1_weight = layer2_weight, layer1_weight
        self._embedded: tuple[Frame, Tensor, Tensor] | None = None  # the last frame, masks and values of `values`

    @classmethod
    def from_settings(cls, model: MaskVOS, settings: Matching, precision: str) -> "MaskEmbedding":
        """The method with all that the test protocol says of it."""
        return cls(model, settings.refinement_rounds, settings.kept_mask, precision, *settings.early_weights)

    def encode(self, picture: Tensor, geometry: Geometry) -> Frame:
        """See ``Method``."""
        image = network_input(picture)
        with autocast(image.device, self.precision):
            features = self.model.encoder(image)
        key = with_layer2(features.key.float(), features.skip8, self.layer2_weight)[0]
        fine = centred(features.skip4)[0] if self.layer1_weight > 0 else None
        return Frame(key, geometry, fine, image, features)

    def predict(self, frame: Frame, coarse: Tensor, gathered: Tensor | None) -> Tensor:
        """See ``Method``; Eq. 9 ``rounds`` times."""
        assert gathered is not None
        masks = to_working(coarse, frame.geometry)
        if self.rounds == 0:
            return self._decode(frame, gathered, torch.zeros_like(gathered), masks)
        for _ in range(self.rounds):
            probabilities = self._decode(frame, gathered, self.values(frame, masks), masks)
            masks = probabilities[1:]
        return probabilities

    def values(self, frame: Frame, masks: Tensor) -> Tensor:
        """V of the frame with each object's mask (Eq. 5, right).

        The first round asks for the coarse masks' values, and the memory asks again where references keep these; V is
        the dearest part of a frame, so what the last call gave is given once more.
        """
        assert frame.image is not None
        if self._embedded is not None and self._embedded[0] is frame and torch.equal(self._embedded[1], masks):
            return self._embedded[2]
        parts = []
        with autocast(masks.device, self.precision):
            for part in pad_to_stride(masks[:, None]).split(for_device(OBJECTS_AT_ONCE, masks.device)):
                parts.append(self.model.mask_encoder(frame.image.expand(len(part), -1, -1, -1), part).float())
        self._embedded = frame, masks.clone(), torch.cat(parts)
        return self._embedded[2]

    def _decode(self, frame: Frame, gathered: Tensor, own: Tensor, masks: Tensor) -> Tensor:
        """D for each object, soft aggregation over the K+1 classes -> (N+1, H', W')."""
        assert frame.features is not None
        parts, count = [], for_device(OBJECTS_AT_ONCE, gathered.device)
        with autocast(gathered.device, self.precision):
            given = (gathered, own, pad_to_stride(masks[:, None]))
            for values, mine, seen in zip(*(maps.split(count) for maps in given), strict=True):
                skips = [skip.expand(len(values), -1, -1, -1) for skip in (frame.features.skip8, frame.features.skip4)]
                parts.append(self.model.decoder(values, mine, *skips, seen).float())
        probabilities = soft_aggregate(torch.cat(parts).transpose(0, 1)).exp()[0]
        height, width = frame.geometry.working
        return probabilities[:, :height, :width]
