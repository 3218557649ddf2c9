"""The matching step at 480x854 with 21 references: the usual dense implementation and this project's engine."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from maskvos.inference.matching import Affinity, match
from maskvos.inference.windows import plan_windows

TOP_K, RADIUS, TEMPERATURE = 10, 12, 0.05
Best = Callable[[Callable[[], object]], float]
"""A function -> its best time in seconds."""


def keys_like_a_video(slots: int, grid: tuple[int, int], channels: int, device: torch.device) -> Tensor:
    """(S, h, w, D) unit keys: frames that resemble one another, with their own noise."""
    generator = torch.Generator().manual_seed(0)
    scene = torch.randn((1, *grid, channels), generator=generator)
    noise = torch.randn((slots, *grid, channels), generator=generator)
    return functional.normalize(scene + noise, dim=-1).to(device)


def chunked_dense(query: Tensor, keys: Tensor, first: list[int], recent: list[int], rows: int) -> Affinity:
    """What one writes first: every cell of every reference, masked by the radius, ``rows`` queries at a time."""
    height, width, _ = query.shape
    y, x = (axis.flatten() for axis in torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij"))
    y, x = y.to(query.device), x.to(query.device)
    slots = [*first, *recent]
    table, scores, indices = keys[slots].flatten(0, 2), [], []
    for part in torch.arange(height * width, device=query.device).split(rows):
        similarity = (query.flatten(0, 1)[part] @ table.T).view(len(part), len(slots), -1)
        far = (y[part, None] - y) ** 2 + (x[part, None] - x) ** 2 >= RADIUS**2
        similarity[:, len(first) :].masked_fill_(far[:, None], float("-inf"))
        best, chosen = similarity.flatten(1).topk(TOP_K, 1)
        scores.append(best)
        indices.append(chosen)
    place = torch.cat(indices)
    slot = torch.tensor(slots, device=query.device)[place // (height * width)]
    weights = functional.softmax(torch.cat(scores) / TEMPERATURE, 1)
    return Affinity(slot * (height * width) + place % (height * width), weights)


def products(height: int, width: int, channels: int, references: int, device: torch.device) -> float:
    """GFLOP of the engine's matrix products: windows for ``references`` frames, all cells of one."""
    windows = plan_windows(height, width, RADIUS, references, device).batches
    pairs = references * sum(batch.outside.numel() for batch in windows) + (height * width) ** 2
    return 2e-9 * channels * pairs


def compare(
    grid: tuple[int, int], channels: int, references: int, device: torch.device, best: Best
) -> dict[str, float]:
    """Seconds of both, their largest difference in weight, and what bounds them.

    Returns:
        ``dense`` and ``engine`` in seconds, ``difference`` of the weights, ``gflop`` of the engine, ``dense_gflop``.
    """
    height, width = grid
    keys = keys_like_a_video(references + 2, grid, channels, device)
    query, first, recent = keys[-1], [references], list(range(references))
    found = {
        "engine": best(lambda: match(query, keys, first, recent, TOP_K, RADIUS, TEMPERATURE)),
        "dense": best(lambda: chunked_dense(query, keys, first, recent, rows=256)),
    }
    engine = match(query, keys, first, recent, TOP_K, RADIUS, TEMPERATURE)
    dense = chunked_dense(query, keys, first, recent, rows=256)
    found["difference"] = float((engine.weights.sort(1)[0] - dense.weights.sort(1)[0]).abs().max())
    found["gflop"] = products(height, width, channels, references, device)
    found["dense_gflop"] = 2e-9 * channels * (height * width) ** 2 * (references + 1)
    return found
