"""A plain vision transformer (Dosovitskiy et al. 2021) that gives a map of patch tokens; tensors named as DINO's."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from maskvos.params.features import ViTFeatures

EPSILON = 1e-6  # of every LayerNorm, as in DINO's code


class Attention(nn.Module):
    """Multi-head self-attention with one projection for queries, keys and values, stacked in this order."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, N, C) -> (B, N, C)."""
        split = self.qkv(tokens).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # 3, B, heads, N, C / heads
        mixed = functional.scaled_dot_product_attention(split[0], split[1], split[2])
        return self.proj(mixed.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Attention, then a perceptron of four times the width, each after a norm and beside a skip."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=EPSILON)
        self.attn = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps=EPSILON)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, 4 * width), "fc2": nn.Linear(4 * width, width)})

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, N, C) -> (B, N, C)."""
        tokens = tokens + self.attn(self.norm1(tokens))
        return tokens + self.mlp["fc2"](functional.gelu(self.mlp["fc1"](self.norm2(tokens))))


class VisionTransformer(nn.Module):
    """Patch embedding, class token, learned positions, blocks, a last norm."""

    def __init__(self, settings: ViTFeatures) -> None:
        super().__init__()
        self.patch, self.side = settings.patch, settings.positions
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, settings.width, settings.patch, settings.patch)})
        self.cls_token = nn.Parameter(torch.zeros(1, 1, settings.width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + settings.positions**2, settings.width))
        self.blocks = nn.ModuleList(Block(settings.width, settings.heads) for _ in range(settings.depth))
        self.norm = nn.LayerNorm(settings.width, eps=EPSILON)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, C, h, w) with h = ceil(H / patch); padded at the right and the bottom with zeros."""
        height, width = images.shape[-2:]
        patches = self.patch_embed["proj"](functional.pad(images, (0, -width % self.patch, 0, -height % self.patch)))
        grid = patches.shape[-2:]
        tokens = patches.flatten(2).transpose(1, 2) + self.positions(*grid)
        first = (self.cls_token + self.pos_embed[:, :1]).expand(len(images), -1, -1)
        tokens = torch.cat([first, tokens], 1)
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens)[:, 1:].transpose(1, 2).unflatten(2, grid)

    def positions(self, height: int, width: int) -> Tensor:
        """The learned positions of the patches on a grid of another size (1, height * width, C).

        Bicubic with DINO's factors, which are a tenth of a cell too large: the features then agree with its code's.
        """
        learned = self.pos_embed[:, 1:]
        if (height, width) == (self.side, self.side):
            return learned
        plane = learned.transpose(1, 2).unflatten(2, (self.side, self.side))
        factors = ((height + 0.1) / self.side, (width + 0.1) / self.side)
        return functional.interpolate(plane, scale_factor=factors, mode="bicubic").flatten(2).transpose(1, 2)
