"""Eq. 6 with the test protocol, as float64 loops over every candidate."""

import math

import numpy as np


def unit(rng, *shape):
    values = rng.standard_normal(shape)
    return values / np.linalg.norm(values, axis=-1, keepdims=True)


def dense(query, keys, first, recent, top_k, radius, temperature, first_radius=None):
    """Dense (Q, S * cells) weights: every candidate of every reference looked at in float64."""
    height, width, _ = query.shape
    cells = height * width
    result = np.zeros((cells, len(keys) * cells))
    for y in range(height):
        for x in range(width):
            candidates = []
            for slot, reach in [*((slot, first_radius) for slot in first), *((slot, radius) for slot in recent)]:
                for v in range(height):
                    for u in range(width):
                        if reach is None or math.sqrt((y - v) ** 2 + (x - u) ** 2) < reach:
                            score = float(np.dot(query[y, x], keys[slot, v, u]))
                            candidates.append((score, slot * cells + v * width + u))
            best = sorted(candidates, reverse=True)[:top_k]
            exponentials = [math.exp(score / temperature) for score, _ in best]
            for (_, index), exponential in zip(best, exponentials, strict=True):
                result[y * width + x, index] += exponential / sum(exponentials)
    return result
