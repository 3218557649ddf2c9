"""Samples as a batch of them reaches the tasks."""

from maskvos.training.batch_cropping import see_cuts
from maskvos.training.batches import Arrivals, Blocks
from maskvos.training.label_maps import see_labels


def batched(samples):
    """As the loader packs them."""
    return Arrivals().open(Blocks(1, remembered=False).pack(samples, len(samples)))


def seen(sample, size, name="frames"):
    """One sample as the tasks see it: its cuts resized, its labels enlarged, without the dimension of the batch."""
    batch = batched([sample])
    labels = {"labels": see_labels(batch, size)} if "label_grids" in batch else {}
    return {key: value[0] for key, value in (see_cuts(batch, size, name) | labels).items()}
