"""Training: sample order, augmentation, the one training loop, checkpoints."""
