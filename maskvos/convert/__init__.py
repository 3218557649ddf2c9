"""Public checkpoints of other methods as weights files of maskvos: `maskvos convert` (docs/weights.md)."""
