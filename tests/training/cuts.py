"""One sample as the tasks see it: its cuts resized, without the dimension of the batch."""

from torch.utils.data import default_collate

from maskvos.training.batch_cropping import see_cuts


def seen(sample, size, name="frames"):
    return {key: value[0] for key, value in see_cuts(default_collate([sample]), size, name).items()}
