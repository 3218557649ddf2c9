"""Files: atomic writes, weights, palette masks, the frame store."""
