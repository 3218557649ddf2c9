"""What is learned from: correspondence and mask-embedding losses, DINO, pseudo masks from space-time clustering."""
