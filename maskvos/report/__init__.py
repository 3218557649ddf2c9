"""What a run found out: tables beside the paper's numbers, curves, pictures, and the pages that carry them."""
