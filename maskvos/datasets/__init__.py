"""Datasets: where they come from, how they lie on disk, and generated videos. Never imports torch.

Nothing is imported here: the evaluation reads layouts and annotation files, which need neither pydantic nor requests.
"""
