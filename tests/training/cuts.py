"""One sample as the tasks see it: its cuts resized, its labels enlarged, without the dimension of the batch."""

from torch.utils.data import default_collate

from maskvos.training.batch_cropping import see_cuts
from maskvos.training.label_maps import see_labels


def seen(sample, size, name="frames"):
    batch = default_collate([sample])
    labels = {"labels": see_labels(batch, size)} if "label_grids" in batch else {}
    return {key: value[0] for key, value in (see_cuts(batch, size, name) | labels).items()}
