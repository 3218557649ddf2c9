"""The checkpoints that can be converted: where their tensors lie, what they are called, how their authors test them.

Names, shapes and settings are those of the repositories at the commits in docs/weights.md.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from maskvos.convert.checkpoints import StandIn
from maskvos.networks.images import MEAN, STD
from maskvos.params.features import FeatureNetworkSettings, Padding, ResNetFeatures, ViTFeatures

Tensors = Mapping[str, Tensor]
Rules = tuple[tuple[str, str], ...]
"""Regular expressions and their replacements, applied one after the other."""

TRUNK: Rules = ((r"^conv1\.", "stem.0."), (r"^bn1\.", "stem.1."))
"""torchvision's names of a ResNet to those of ``networks.trunk.Trunk``."""


@dataclass(frozen=True)
class Source:
    """One kind of checkpoint.

    Attributes:
        entries: under which key of the checkpoint the tensors lie, the first that is there; "" is all of it.
        prefix: what the names of the wanted tensors start with.
        rules: from the names after the prefix to ours.
        left_out: what the names of tensors start with (before the prefix is cut) that the authors' test does not use.
        needed: one of our names without which the architecture cannot be told.
        settings: the architecture from the renamed tensors and the options of the training script, where there are any.
    """

    method: str
    url: str
    licence: str
    data: str
    entries: tuple[str, ...]
    prefix: str
    rules: Rules
    left_out: tuple[str, ...]
    needed: str
    settings: Callable[[Tensors, StandIn | None], FeatureNetworkSettings]


def _crw(tensors: Tensors, options: StandIn | None) -> FeatureNetworkSettings:
    """ResNet-18 up to layer3; padding by reflection, but for the model type `scratch_zeropad`."""
    zeros = getattr(options, "model_type", "scratch") == "scratch_zeropad"
    return _resnet("resnet18", "layer3", "zeros" if zeros else "reflect")


def _depth_from_blocks(tensors: Tensors, options: StandIn | None) -> FeatureNetworkSettings:
    """ResNet-50 where the blocks have three convolutions, else ResNet-18; up to layer3."""
    return _resnet("resnet50" if "layer1.0.conv3.weight" in tensors else "resnet18", "layer3")


def _dul(tensors: Tensors, options: StandIn | None) -> FeatureNetworkSettings:
    """ResNet-18 with layer4, the layer `res4` of the authors' test."""
    return _resnet("resnet18", "layer4")


def _resnet(backbone: str, last_layer: str, padding: Padding = "zeros") -> FeatureNetworkSettings:
    network = {"family": "resnet", "backbone": backbone, "last_layer": last_layer, "padding": padding}
    return FeatureNetworkSettings(network=ResNetFeatures.model_validate(network), mean=[*MEAN], std=[*STD])


def _vit(tensors: Tensors, options: StandIn | None) -> FeatureNetworkSettings:
    """Every size follows from the tensors; a head has 64 channels in all of DINO's transformers."""
    shape = tensors["patch_embed.proj.weight"].shape
    width, patch = shape[0], shape[-1]
    depth = len({name.split(".")[1] for name in tensors if name.startswith("blocks.")})
    positions = max(1, round((tensors["pos_embed"].shape[1] - 1) ** 0.5)) if "pos_embed" in tensors else 1
    network = ViTFeatures(patch=patch, width=width, depth=max(1, depth), heads=max(1, width // 64), positions=positions)
    # The first number is DINO's test code's; its training, like everyone else, divides by 0.229.
    return FeatureNetworkSettings(network=network, mean=[*MEAN], std=[0.228, *STD[1:]])


_DINO_URL = "https://github.com/facebookresearch/dino"
SOURCES = {
    "crw": Source(
        method="CRW (Jabri et al. 2020)",
        url="https://github.com/ajabri/videowalk",
        licence="MIT (c) 2021 A. Jabri, the licence of the repository that holds the checkpoint",
        data="Kinetics-400, videos without labels",
        entries=("model",),
        prefix=r"(module\.)?encoder\.model\.",
        rules=((r"(conv[12])\.1\.weight$", r"\1.weight"), *TRUNK),  # .1: padding by a layer of its own, as of old
        left_out=("selfsim_fc.", "encoder.model.layer4.", "encoder.model.fc."),
        needed="layer3.0.conv1.weight",
        settings=_crw,
    ),
    "vfs": Source(
        method="VFS (Xu and Wang 2021)",
        url="https://github.com/xvjiarui/VFS",
        licence="Apache-2.0, the licence of the repository that publishes the checkpoint",
        data="Kinetics-400, videos without labels",
        entries=("state_dict",),
        prefix=r"(module\.)?backbone\.",
        rules=(
            (r"downsample\.conv\.", "downsample.0."),
            (r"downsample\.bn\.", "downsample.1."),
            (r"conv(\d)\.conv\.", r"conv\1."),
            (r"conv(\d)\.bn\.", r"bn\1."),
            *TRUNK,
        ),
        left_out=("backbone.layer4.", "img_head.", "iteration"),
        needed="layer3.0.conv1.weight",
        settings=_depth_from_blocks,
    ),
    "dino-resnet50": Source(
        method="DINO, ResNet-50 (Caron et al. 2021)",
        url=_DINO_URL,
        licence="Apache-2.0, the licence of the repository that publishes the checkpoint",
        data="ImageNet-1k, images without labels",
        entries=("teacher", ""),
        prefix=r"(module\.)?(backbone\.)?",
        rules=TRUNK,
        left_out=("layer4.", "backbone.layer4.", "head.", "fc."),
        needed="layer3.0.conv3.weight",
        settings=_depth_from_blocks,
    ),
    "dino-vit": Source(
        method="DINO, vision transformer (Caron et al. 2021)",
        url=_DINO_URL,
        licence="Apache-2.0, the licence of the repository that publishes the checkpoint",
        data="ImageNet-1k, images without labels",
        entries=("teacher", ""),
        prefix=r"(module\.)?(backbone\.)?",
        rules=(),
        left_out=("head.",),
        needed="patch_embed.proj.weight",
        settings=_vit,
    ),
    "dul": Source(
        method="DUL (Araslanov et al. 2021)",
        url="https://github.com/visinf/dense-ulearn-vos",
        licence="Apache-2.0, the licence of the repository that publishes the checkpoint",
        data="YouTube-VOS, OxUvA, TrackingNet or Kinetics-400 without labels, as the checkpoint's name says",
        entries=("model",),
        prefix=r"(module\.)?fast_net\.backbone\.",
        rules=TRUNK,
        left_out=("fast_net.emb_q.", "fast_net.backbone.fc."),
        needed="layer4.0.conv1.weight",
        settings=_dul,
    ),
}


def rename(source: Source, name: str) -> str | None:
    """Our name of a published tensor, or None for one that is left out; unknown names come back unchanged."""
    bare = name.removeprefix("module.")
    if bare.startswith(source.left_out):
        return None
    ours, found = re.subn(f"^{source.prefix}", "", name)
    if not found:
        return name
    for pattern, replacement in source.rules:
        ours = re.sub(pattern, replacement, ours)
    return ours
