"""Inference: memory of reference frames, propagation, recurrent refinement (paper 3.1 and 3.3, Testing)."""
