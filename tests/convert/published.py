"""Checkpoints as the authors publish them, filled at random: names, shapes and what lies beside the tensors."""

import argparse

import numpy as np
import torch
import torchvision


def filled(names_and_shapes, seed=0):
    """Random tensors that a network can run with: positive variances, counts as whole numbers."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, shape in names_and_shapes.items():
        if name.endswith("num_batches_tracked"):
            tensors[name] = torch.tensor(7)
        elif name.endswith("running_var"):
            tensors[name] = torch.rand(shape, generator=generator) + 0.5
        elif len(shape) > 1:
            fan = int(np.prod(shape[1:]))
            tensors[name] = torch.randn(shape, generator=generator) * (2 / fan) ** 0.5
        else:
            tensors[name] = torch.randn(shape, generator=generator) * 0.2 + (1.0 if name.endswith("weight") else 0.0)
    return tensors


def torchvision_shapes(backbone, without=("fc",)):
    with torch.device("meta"):
        network = getattr(torchvision.models, backbone)(weights=None)
    return {name: value.shape for name, value in network.state_dict().items() if name.split(".")[0] not in without}


def resnet(backbone, without=("fc",)):
    """torchvision's names with random tensors."""
    return filled(torchvision_shapes(backbone, without))


def reference(tensors, backbone, last_layer="layer3", reflect=False):
    """torchvision's network with these tensors, layer3 and layer4 at stride 1 by hand; images -> the last map."""
    network = getattr(torchvision.models, backbone)(weights=None).eval()
    missing = network.load_state_dict(tensors, strict=False).missing_keys
    assert all(name.startswith(("fc.", "layer4.") if last_layer == "layer3" else "fc.") for name in missing)
    for layer in (network.layer3, network.layer4):
        (layer[0].conv1 if backbone == "resnet18" else layer[0].conv2).stride = (1, 1)
        layer[0].downsample[0].stride = (1, 1)
    if reflect:
        for module in network.modules():
            if isinstance(module, torch.nn.Conv2d) and module.kernel_size != (1, 1):
                module.padding_mode = "reflect"
    names = ["conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4"]
    return torch.nn.Sequential(*(getattr(network, name) for name in names[: names.index(last_layer) + 1]))


def crw(tensors, old_padding=False, **options):
    """CRW's training checkpoint: all four layers, the head, Adam's state, the options."""
    names = {}
    for name, value in tensors.items():
        if old_padding and name.endswith(("conv1.weight", "conv2.weight")):
            name = name.replace(".weight", ".1.weight")
        names[f"encoder.model.{name}"] = value
    head = {"selfsim_fc.0.weight": torch.zeros(128, 512), "selfsim_fc.0.bias": torch.zeros(128)}
    state = {"state": {0: {"step": 3, "exp_avg": torch.zeros(2)}}, "param_groups": [{"lr": 1e-4, "params": [0]}]}
    given = argparse.Namespace(model_type="scratch", patch_size=[64, 64, 3], **options)
    return {"model": {**names, **head}, "optimizer": state, "lr_scheduler": {"gamma": 0.3}, "epoch": 24, "args": given}


def vfs(tensors, width):
    """VFS: mmaction's names, the SimSiam head, a counter, and what mmcv records."""
    names = {}
    for name, value in tensors.items():
        parts = name.split(".")
        if "downsample" in parts:
            parts[-2] = {"0": "conv", "1": "bn"}[parts[-2]]
        elif parts[-2].startswith("bn"):
            parts[-2:-1] = ["conv" + parts[-2][2:], "bn"]
        else:
            parts.insert(-1, "conv")
        names["backbone." + ".".join(parts)] = value
    head = {f"img_head.{name}": value for name, value in mlp("projection_fcs", width).items()}
    extra = {"iteration": torch.tensor(0.0), "img_head.predictor_fcs.0.weight": torch.zeros(4, width)}
    return {"meta": {"epoch": 100, "time": "noon"}, "state_dict": {**names, **head, **extra}}


def mlp(name, width):
    return {f"{name}.0.weight": torch.zeros(width, width), f"{name}.1.running_var": torch.ones(width)}


def dul(tensors):
    """DUL: the backbone and the embedding head, the optimiser, a NumPy score."""
    head = {
        "fast_net.emb_q.conv1.weight": torch.zeros(512, 512, 1, 1),
        "fast_net.emb_q.conv1.bias": torch.zeros(512),
        "fast_net.emb_q.bn1.num_batches_tracked": torch.tensor(1),
        "fast_net.emb_q.conv2.weight": torch.zeros(128, 512, 1, 1),
    }
    names = {f"fast_net.backbone.{name}": value for name, value in tensors.items()}
    return {"model": {**names, **head}, "opt": {"state": {}}, "score": np.float64(0.7), "epoch": 60}


def dino_full(tensors, prefix):
    """DINO's full checkpoint; ``prefix`` is that of the teacher, the student is always wrapped."""
    head = {"mlp.0.weight": torch.zeros(8, 8), "last_layer.weight_g": torch.zeros(9, 1)}
    wrapped = {f"backbone.{name}": value for name, value in tensors.items()}
    wrapped |= {f"head.{name}": value for name, value in head.items()}
    student = {f"module.{name}": torch.zeros_like(value) for name, value in wrapped.items()}
    return {
        "student": student,
        "teacher": {prefix + name: value for name, value in wrapped.items()},
        "optimizer": {"state": {}},
        "epoch": 800,
        "args": argparse.Namespace(arch="vit_small", patch_size=8, data_path="imagenet"),
        "dino_loss": {"center": torch.zeros(1, 9)},
    }


def vit_shapes(width, depth, patch, side):
    """DINO's names: of ViT-S/16, for one, (384, 12, 16, 14)."""
    block = {
        "norm1.weight": (width,),
        "norm1.bias": (width,),
        "attn.qkv.weight": (3 * width, width),
        "attn.qkv.bias": (3 * width,),
        "attn.proj.weight": (width, width),
        "attn.proj.bias": (width,),
        "norm2.weight": (width,),
        "norm2.bias": (width,),
        "mlp.fc1.weight": (4 * width, width),
        "mlp.fc1.bias": (4 * width,),
        "mlp.fc2.weight": (width, 4 * width),
        "mlp.fc2.bias": (width,),
    }
    return {
        "cls_token": (1, 1, width),
        "pos_embed": (1, 1 + side * side, width),
        "patch_embed.proj.weight": (width, 3, patch, patch),
        "patch_embed.proj.bias": (width,),
        **{f"blocks.{i}.{name}": shape for i in range(depth) for name, shape in block.items()},
        "norm.weight": (width,),
        "norm.bias": (width,),
    }
