"""Small parameters and a small frame store, the same whatever params.yaml holds."""

import cv2
import numpy as np
import yaml

from maskvos.params.collapse import Collapse
from maskvos.params.method import BackbonePretraining, Correspondence, Networks, Runtime
from maskvos.storage.frame_writer import EncodedClip, write_store

RUNTIME = {"device": "cpu", "threads": 1, "workers": 0, "processes": 1, "nodes": 1, "save_memory": False}
BACKBONE = {
    "epochs": 2,
    "batch": 4,
    "learning_rate": 0.3,
    "schedule": "cosine",
    "step_epochs": 1,
    "warmup_epochs": 1,
    "weight_decay": 1e-4,
    "log_every": 2,
    "checkpoint_every": 3,
    "momentum": 0.9,
    "teacher_momentum": 0.9,
    "prototypes": 12,
    "head_hidden": 16,
    "head_bottleneck": 8,
    "student_temperature": 0.1,
    "teacher_temperature": 0.04,
    "teacher_temperature_start": 0.04,
    "teacher_temperature_warmup_epochs": 0,
    "centring": "centre",
    "centre_momentum": 0.9,
    "sinkhorn_iterations": 3,
    "gradient_clip": 3.0,
    "freeze_last_layer_epochs": 1,
    "global_crops": 2,
    "global_size": 32,
    "global_scale": [0.3, 1.0],
    "local_crops": 1,
    "local_size": 32,
    "local_scale": [0.08, 0.3],
}
CORRESPONDENCE = {
    "epochs": 2,
    "batch": 2,
    "learning_rate": 1e-3,
    "schedule": "constant",
    "step_epochs": 1,
    "warmup_epochs": 0,
    "weight_decay": 0.0,
    "log_every": 2,
    "checkpoint_every": 3,
    "cropping": {"short_side": [48, 48], "crop": 32, "zoom": [0.5, 1.0]},
    "regime": "contrastive",
    "temperature": 0.1,
    "negatives": "batch",
    "short_weight": 0.25,
    "long_weight": 0.75,
    "min_distance": 2,
    "photometric": {"references": 2, "max_gap": 2, "radius": 1},
    "cycle": {"frames": 3, "max_gap": 1, "edge_dropout": 0.1},
}
NETWORKS = {
    "backbone": "resnet18",
    "last_layer": "layer3",
    "embedding_dim": 16,
    "mask_embedding_dim": 24,
    "decoder_width": 16,
}
COLLAPSE = {
    "action": "stop",
    "non_finite": "stop",
    "max_similarity": 0.99,
    "min_effective_rank": 3.0,
    "min_information": 0.02,
    "max_empty_clips": 0.5,
    "warmup": 0.1,
    "patience": 5,
}


def networks(**changes):
    return Networks(**{**NETWORKS, **changes})


def backbone_pretraining(**changes):
    return BackbonePretraining(**{**BACKBONE, **changes})


def correspondence(regime, **changes):
    return Correspondence(**{**CORRESPONDENCE, "regime": regime, **changes})


def runtime(**changes):
    return Runtime(**{**RUNTIME, **changes})


def collapse(**changes):
    return Collapse(**{**COLLAPSE, **changes})


def write_params(path, source, **sections):
    """The parameters of ``source`` with whole sections exchanged."""
    content = yaml.safe_load(source.read_text())
    path.write_text(yaml.safe_dump({**content, "networks": NETWORKS, "runtime": RUNTIME, **sections}))


def write_frames(folder, clips=2, frames=6, height=48, width=64):
    """A frame store of smooth noise."""
    random = np.random.default_rng(0)
    folder.mkdir(parents=True)
    encoded = []
    for number in range(clips):
        coarse = random.integers(0, 256, (frames, 6, 8, 3), dtype=np.uint8)
        images = [cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC) for image in coarse]
        data = [cv2.imencode(".png", image)[1].tobytes() for image in images]
        encoded.append(EncodedClip(f"clip{number}", height, width, [f"{i:05d}" for i in range(frames)], data))
    write_store(folder, encoded, ".png", {})
