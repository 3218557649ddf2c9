"""Who runs k-means: faiss on the CPU, torch on clips in batches, or faiss on a GPU; one interface, the same seeds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import faiss
import numpy as np
import torch

from maskvos.errors import UserError
from maskvos.learning.kmeans import Assign, Clusters, Start, lloyd, nearest_centroids
from maskvos.learning.kmeans_torch import lloyd_batch

BATCH = 2**27  # 1 GiB in float64: some twenty clips of 27 frames at short side 256; an estimate, no GPU was at hand


@dataclass(frozen=True)
class Backend:
    """Lloyd's iterations from given seeds.

    ``run``: the starts of some clips and the most iterations, to their clusters; a clip's result does not depend on
    the others. ``batch``: how many values (clips x points of the longest x channels) one call should hold, from one
    thread at a time; None: a clip a call, from as many threads as there are.
    """

    run: Callable[[Sequence[Start], int], list[Clusters]]
    batch: int | None


def open_backend(name: str, device: torch.device) -> Backend:
    """The backend that ``clustering.backend`` names.

    Args:
        name: ``faiss``, ``torch`` or ``faiss_gpu``.
        device: where ``torch`` works.

    Raises:
        UserError: `faiss_gpu` without the GPU build of faiss, or without a GPU.
    """
    if name == "torch":
        # On a CPU several clips at once gain nothing and take memory.
        return Backend(partial(lloyd_batch, device=device), 1 if device.type == "cpu" else BATCH)
    if name == "faiss_gpu":
        return Backend(partial(_each, assign=_gpu_assign()), 1)
    return Backend(_each, None)


def _each(starts: Sequence[Start], iterations: int, assign: Assign = nearest_centroids) -> list[Clusters]:
    return [lloyd(*start, iterations, assign) for start in starts]


def _gpu_assign() -> Assign:
    """`maskvos.learning.kmeans.nearest_centroids` on the first GPU, as |x|^2 - 2 x c + |c|^2 in float32."""
    if not hasattr(faiss, "StandardGpuResources"):
        raise UserError(
            f"clustering.backend is 'faiss_gpu', but the faiss {faiss.__version__} installed here is the build without "
            "GPU support. Put the extra maskvos[faiss-gpu] in its place (envs/README.md says how), or choose 'torch', "
            "which runs on the GPU too, or 'faiss'."
        )
    if not faiss.get_num_gpus():
        raise UserError(
            "clustering.backend is 'faiss_gpu', but faiss sees no GPU here. Run on a GPU node, or choose 'faiss' or "
            "'torch'."
        )
    resources = faiss.StandardGpuResources()

    def assign(points: np.ndarray, centroids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        distances, nearest = faiss.knn_gpu(resources, points, centroids, 1)
        return np.maximum(distances[:, 0].astype(np.float64), 0), nearest[:, 0]  # the sum may fall below 0 by rounding

    return assign
