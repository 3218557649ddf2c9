"""E, V and D in float64, written from section 3.3 with nothing of maskvos: what the code is compared with.

Convolutions are sums over the kernel's places, pooling and interpolation go over places too. Weights come from a
module's state, as float64 leaves, so that ``backward`` gives a gradient to compare for each of them.
"""

import torch


def leaves(module):
    """The module's parameters and statistics by name, in float64; the parameters want a gradient."""
    learned = {name for name, _ in module.named_parameters()}
    return {
        name: value.detach().double().requires_grad_(name in learned)
        for name, value in module.state_dict().items()
        if value.is_floating_point()
    }


def gradient_error(module, weights, prefix=""):
    """The largest relative difference, by norm, of a parameter's gradient and that of its leaf ``prefix + name``."""
    worst = 0.0
    for name, parameter in module.named_parameters():
        expected = weights[prefix + name].grad
        if expected is None:
            assert parameter.grad is None or not parameter.grad.any(), name
            continue
        found = torch.zeros_like(expected) if parameter.grad is None else parameter.grad.double()
        worst = max(worst, float((found - expected).norm() / expected.norm().clamp_min(1e-9)))
    return worst


def settle(model, images, masks):
    """Put a new model into use: statistics as of these inputs, affine parameters that are not 1 and 0, evaluation mode.

    With the statistics of the start all pixels would look alike to E, and a wrong affinity like a right one.
    """
    torch.manual_seed(1)
    norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    with torch.no_grad():
        for norm in norms:
            norm.momentum = None
            norm.weight.uniform_(0.5, 1.5)
            norm.bias.normal_(0, 0.3)
        model.train()
        model.encoder(images)
        model.mask_encoder(images, masks)
    return model.eval()


def _part(weights, prefix):
    return {name[len(prefix) :]: value for name, value in weights.items() if name.startswith(prefix)}


def convolve(maps, weight, bias=None, stride=1):
    """(C, H, W) with (C', C, k, k), padded by k // 2 zeros on each side."""
    size = weight.shape[-1]
    channels, height, width = maps.shape
    edge = size // 2
    padded = maps.new_zeros(channels, height + 2 * edge, width + 2 * edge)
    padded[:, edge : edge + height, edge : edge + width] = maps
    rows, columns = (height + 2 * edge - size) // stride + 1, (width + 2 * edge - size) // stride + 1
    result = 0
    for y in range(size):
        for x in range(size):
            seen = padded[:, y : y + stride * (rows - 1) + 1 : stride, x : x + stride * (columns - 1) + 1 : stride]
            result = result + torch.einsum("oc,chw->ohw", weight[:, :, y, x], seen)
    return result if bias is None else result + bias[:, None, None]


def _norm(maps, weights):
    mean, variance, scale, shift = (
        weights[name][:, None, None] for name in ("running_mean", "running_var", "weight", "bias")
    )
    return (maps - mean) / (variance + 1e-5).sqrt() * scale + shift


def _halve_by_largest(maps):
    """3x3 maxima at every second place, nothing beyond the border."""
    channels, height, width = maps.shape
    padded = maps.new_full((channels, height + 2, width + 2), -torch.inf)
    padded[:, 1:-1, 1:-1] = maps
    rows, columns = (height + 1) // 2, (width + 1) // 2
    result = maps.new_full((channels, rows, columns), -torch.inf)
    for y in range(3):
        for x in range(3):
            result = torch.maximum(result, padded[:, y : y + 2 * rows - 1 : 2, x : x + 2 * columns - 1 : 2])
    return result


def _block(maps, weights, stride):
    """Two 3x3 convolutions, or in ResNet-50 a 3x3 one between two 1x1; the 3x3 that comes first has the stride."""
    bottleneck, inner = "conv3.weight" in weights, maps
    for number in (1, 2, 3) if bottleneck else (1, 2):
        step = stride if number == (2 if bottleneck else 1) else 1
        inner = convolve(inner.relu(), weights[f"conv{number}.weight"], stride=step)
        inner = _norm(inner, _part(weights, f"bn{number}."))
    if "downsample.0.weight" in weights:
        maps = _norm(convolve(maps, weights["downsample.0.weight"], stride=stride), _part(weights, "downsample.1."))
    return (maps + inner).relu()


def trunk(maps, weights):
    """A ResNet on (C, H, W): layer1 at 1/4, layer2 at 1/8, and the last layer, whose stride is removed, at 1/8."""
    maps = _norm(convolve(maps, weights["stem.0.weight"], stride=2), _part(weights, "stem.1.")).relu()
    found, maps = {}, _halve_by_largest(maps)
    for layer, stride in (("layer1", 1), ("layer2", 2), ("layer3", 1), ("layer4", 1)):
        for block in range(6):
            own = _part(weights, f"{layer}.{block}.")
            if own:
                maps = _block(maps, own, 1 if block else stride)
        found[layer] = maps
    return found["layer1"], found["layer2"], maps


def _head(maps, weights):
    inner = _norm(convolve(maps, weights["0.weight"]), _part(weights, "1.")).relu()
    return convolve(inner, weights["3.weight"], weights["3.bias"])


def encode(image, weights):
    """Eq. 5, left: E of (3, H, W): key (D, H/8, W/8) of unit length, layer2's maps, layer1's maps."""
    own = _part(weights, "encoder.")
    quarter, eighth, last = trunk(image, _part(own, "trunk."))
    raw = _head(last, _part(own, "head."))
    lengths = sum(channel * channel for channel in raw).sqrt()
    return raw / lengths, eighth, quarter


def embed(image, mask, weights):
    """Eq. 5, right: V of [image, mask], (3, H, W) and (H, W) -> (D', H/8, W/8)."""
    own = _part(weights, "mask_encoder.")
    return _head(trunk(torch.cat([image, mask[None]]), _part(own, "trunk."))[2], _part(own, "head."))


def read(maps, positions, axis):
    """Maps at positions along an axis, 0 being the centre of the first pixel: linear, the border repeated."""
    lines, last = maps.unbind(axis), maps.shape[axis] - 1
    found = []
    for position in positions:
        inside = min(max(position, 0.0), float(last))
        before = min(int(inside), last)
        over = inside - before
        found.append(lines[before] * (1 - over) + lines[min(before + 1, last)] * over)
    return torch.stack(found, dim=axis)


def enlarge(maps, factor):
    """(C, H, W) -> (C, factor H, factor W): bilinear between the centres of pixels."""
    places = [[(i + 0.5) / factor - 0.5 for i in range(factor * length)] for length in maps.shape[1:]]
    return read(read(maps, places[0], 1), places[1], 2)


def _residual_block(maps, weights):
    inner = convolve(maps.relu(), weights["first.weight"], weights["first.bias"]).relu()
    inner = convolve(inner, weights["second.weight"], weights["second.bias"])
    return convolve(maps, weights["project.weight"], weights["project.bias"]) + inner


def decode(readout, own, eighth, quarter, weights, mask):
    """Eq. 9: D of [V_q, V_q bar] with E's skips -> (H, W) logits; ``own`` None is refinement round 0, without V. A D
    that corrects the ``mask`` (H, W) that V saw has a weight for it."""
    mine = _part(weights, "decoder.")
    joined = torch.cat([readout, torch.zeros_like(readout) if own is None else own])
    maps = _residual_block(joined, _part(mine, "block8."))
    maps = maps + convolve(eighth, mine["skip8.weight"], mine["skip8.bias"])
    maps = enlarge(maps, 2) + convolve(quarter, mine["skip4.weight"], mine["skip4.bias"])
    maps = _residual_block(maps, _part(mine, "block4."))
    logits = enlarge(convolve(maps.relu(), mine["logit.weight"], mine["logit.bias"]), 4)[0]
    if "mask_weight" not in mine:
        return logits
    share = mask.clamp(0.01, 0.99)
    return logits + mine["mask_weight"] * torch.log(share / (1 - share))
