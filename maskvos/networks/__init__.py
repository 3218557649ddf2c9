"""Networks: visual encoder E, frame-mask encoder V, mask decoder D, affinity and readout (paper 3, 3.3)."""
