"""The vision transformer against a plain float64 one."""

import math

import pytest
import torch

from maskvos.networks.vit import VisionTransformer
from maskvos.params.features import ViTFeatures


def made(**changes):
    settings = ViTFeatures(**{"patch": 8, "width": 24, "depth": 2, "heads": 3, "positions": 4, **changes})
    network = VisionTransformer(settings).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return network


def norm(x, weight, bias):
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + 1e-6).sqrt() * weight + bias


def plain(network, images, positions):
    """Every token from the definitions, in float64: image (3, H, W), positions (h * w, C) -> tokens (h * w, C)."""
    own = {name: value.detach().double() for name, value in network.state_dict().items()}
    side, heads = network.patch, network.blocks[0].attn.heads
    rows, columns = images.shape[1] // side, images.shape[2] // side
    tokens = [own["cls_token"][0, 0] + own["pos_embed"][0, 0]]
    for row in range(rows):
        for column in range(columns):
            patch = images[:, row * side : (row + 1) * side, column * side : (column + 1) * side].double()
            embedded = (own["patch_embed.proj.weight"] * patch).sum((1, 2, 3)) + own["patch_embed.proj.bias"]
            tokens.append(embedded + positions[row * columns + column].double())
    x = torch.stack(tokens)
    for number in range(len(network.blocks)):
        part = {name.split(".", 2)[2]: value for name, value in own.items() if name.startswith(f"blocks.{number}.")}
        y = norm(x, part["norm1.weight"], part["norm1.bias"])
        queries, keys, values = (y @ part["attn.qkv.weight"].T + part["attn.qkv.bias"]).chunk(3, 1)
        size = queries.shape[1] // heads
        mixed = torch.zeros_like(x)
        for head in range(heads):
            own_part = slice(head * size, (head + 1) * size)
            for token in range(len(x)):
                scores = keys[:, own_part] @ queries[token, own_part] / math.sqrt(size)
                mixed[token, own_part] = (scores.exp() / scores.exp().sum()) @ values[:, own_part]
        x = x + mixed @ part["attn.proj.weight"].T + part["attn.proj.bias"]
        y = norm(x, part["norm2.weight"], part["norm2.bias"]) @ part["mlp.fc1.weight"].T + part["mlp.fc1.bias"]
        y = y * (1 + torch.erf(y / math.sqrt(2))) / 2
        x = x + y @ part["mlp.fc2.weight"].T + part["mlp.fc2.bias"]
    return norm(x, own["norm.weight"], own["norm.bias"])[1:]


def test_tokens_at_the_learned_size():
    network = made()
    images = torch.randn(2, 3, 32, 32)
    with torch.inference_mode():
        maps = network(images)
    assert maps.shape == (2, 24, 4, 4)
    for number in range(2):
        expected = plain(network, images[number], network.pos_embed[0, 1:].detach())
        torch.testing.assert_close(maps[number].flatten(1).T.double(), expected, rtol=1e-4, atol=1e-5)


def test_tokens_at_another_size():
    network = made(patch=4, heads=2)
    image = torch.randn(3, 12, 28)
    with torch.inference_mode():
        maps = network(image[None])
        positions = network.positions(3, 7)[0]
    torch.testing.assert_close(maps[0].flatten(1).T.double(), plain(network, image, positions), rtol=1e-4, atol=1e-5)


def cubic(distance, a=-0.75):
    """Keys' kernel as torch has it."""
    d = abs(distance)
    if d <= 1:
        return (a + 2) * d**3 - (a + 3) * d**2 + 1
    return a * (d**3 - 5 * d**2 + 8 * d - 4) if d < 2 else 0.0


@pytest.mark.parametrize(("height", "width"), [(3, 7), (9, 4), (4, 5)])
def test_positions_on_another_grid_by_hand(height, width):
    """Bicubic, with factors a tenth of a cell above the ratio of the sizes."""
    network = made(width=3, heads=1)
    learned = network.pos_embed[0, 1:].detach().double().view(4, 4, 3)
    found = network.positions(height, width).detach()[0].view(height, width, 3)
    for y in range(height):
        for x in range(width):
            down, right = ((at + 0.5) * 4 / (size + 0.1) - 0.5 for at, size in ((y, height), (x, width)))
            total = torch.zeros(3, dtype=torch.float64)
            for row in range(math.floor(down) - 1, math.floor(down) + 3):
                for column in range(math.floor(right) - 1, math.floor(right) + 3):
                    weight = cubic(down - row) * cubic(right - column)
                    total += weight * learned[min(max(row, 0), 3), min(max(column, 0), 3)]
            torch.testing.assert_close(found[y, x].double(), total, rtol=1e-4, atol=1e-4)


def test_an_image_of_any_size_is_padded_with_the_mean_colour():
    network = made()
    image = torch.randn(1, 3, 13, 30)
    padded = torch.zeros(1, 3, 16, 32)
    padded[:, :, :13, :30] = image
    with torch.inference_mode():
        assert torch.equal(network(image), network(padded))
        assert network(image).shape == (1, 24, 2, 4)
