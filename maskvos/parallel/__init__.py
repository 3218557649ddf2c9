"""Several processes, each with a part of every batch, that train as one would: what they tell each other, BatchNorm."""
