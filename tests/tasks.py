"""Every task of the training loop on a tiny frame store: (task, samples, settings)."""

from pathlib import Path

import torch
import yaml

from maskvos.networks.encoder import VisualEncoder
from maskvos.networks.model import MaskVOS
from maskvos.params.method import Segmentation
from maskvos.storage.frames import FrameStore
from maskvos.training.backbone_task import BackboneTask
from maskvos.training.correspondence_task import CorrespondenceTask
from maskvos.training.multicrop import MultiCrop
from maskvos.training.order import Samples
from maskvos.training.regimes import correspondence_sampler
from maskvos.training.segmentation_task import SegmentationTask
from maskvos.training.triplets import TripletSamples
from tests.tiny import backbone_pretraining, correspondence, networks

PARAMS = Path(__file__).parents[1] / "params.yaml"
CPU = torch.device("cpu")
SEGMENTATION = {
    "epochs": 2,
    "batch": 4,
    "log_every": 1,
    "checkpoint_every": 2,
    "warmup_epochs": 0,
    "cropping": {"short_side": [40, 48], "crop": 32, "zoom": [0.5, 1.0]},
    "max_gap": [1, 3],
    "objects": 2,
    "min_area": 0.05,
    "encoder_rate": 1.0,
}


def new_model(architecture, residual=False):
    """E, V and D; a residual D put into use: its last layer and the weight of the mask as training may leave them."""
    model = MaskVOS(architecture, residual)
    if residual:
        with torch.no_grad():
            model.decoder.logit.weight.normal_(0, 0.3)
            model.decoder.logit.bias.fill_(0.1)
            model.decoder.mask_weight.fill_(0.7)
    return model


def backbone(folder, **changes):
    settings = backbone_pretraining(**{"batch": 4, "log_every": 1, **changes})
    store = FrameStore(folder)
    samples = Samples(MultiCrop(store.read, settings), len(store), settings.batch, 0, "backbone")
    return BackboneTask(networks(), settings, 0, "fp32", samples.epoch_steps, CPU), samples, settings


def correspond(folder, regime="contrastive", **changes):
    settings = correspondence(regime, **{"batch": 4, "log_every": 1, **changes})
    store = FrameStore(folder)
    sampler = correspondence_sampler(store, settings, settings.cropping)
    samples = Samples(sampler, len(store.clips), settings.batch, 0, "correspondence")
    torch.manual_seed(0)
    return CorrespondenceTask(VisualEncoder(networks()), settings, "fp32", samples.epoch_steps, CPU), samples, settings


def segmentation(folder, **changes):
    """Pseudo masks of very different sizes: some samples have one object, some two, some none."""
    content = yaml.safe_load(PARAMS.read_text())["segmentation"]
    settings = Segmentation(**{**content, **SEGMENTATION, **changes})
    store = FrameStore(folder)
    labels = torch.zeros(6, 6, 8, dtype=torch.uint8)
    labels[:, 2:, :5] = 1
    labels[:, 2:4, 5:] = 2
    sizes = enumerate(store.clips)
    masks = {clip.name: labels if number % 2 else (labels == 1).to(torch.uint8) for number, clip in sizes}
    pairs = correspondence("contrastive")
    samples = TripletSamples(store, masks, settings, pairs if settings.encoder_rate else None, 1, 0)
    torch.manual_seed(0)
    model = MaskVOS(networks())
    return SegmentationTask(model, settings, pairs, "fp32", samples.epoch_steps, 1, CPU), samples, settings


RUNS = {
    "backbone": (backbone, {}),
    "backbone, sinkhorn": (backbone, {"centring": "sinkhorn", "freeze_last_layer_epochs": 0}),
    "contrastive": (correspond, {}),
    "contrastive, pair": (correspond, {"negatives": "pair"}),
    "photometric": (correspond, {"regime": "photometric"}),
    "cycle": (correspond, {"regime": "cycle"}),
    "segmentation": (segmentation, {}),
    "segmentation, frozen": (segmentation, {"encoder_rate": 0.0}),
}
