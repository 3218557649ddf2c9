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
            best = _best(query, keys, first, recent, top_k, radius, first_radius, (y, x))
            _weigh(result[y * width + x], best, temperature)
    return result


def dense_parts(query, keys, fine, fine_keys, weight, first, recent, top_k, radius, temperature, first_radius=None):
    """The same for the four parts of each cell, (4 Q, S * cells * 4): fine (h, w, 4, C), fine_keys (S, h, w, 4, C).

    A part scores the weighted mean of the cells' similarity and, times ``weight``, its own."""
    height, width, _ = query.shape
    cells, table = height * width, fine_keys.reshape(-1, fine_keys.shape[-1])
    result = np.zeros((4 * cells, len(keys) * 4 * cells))
    for y in range(height):
        for x in range(width):
            best = _best(query, keys, first, recent, top_k, radius, first_radius, (y, x))
            for part in range(4):
                own, matched = fine[y, x, part], [(s, 4 * index + place) for s, index in best for place in range(4)]
                scores = [((s + weight * float(np.dot(own, table[i]))) / (1 + weight), i) for s, i in matched]
                _weigh(result[4 * (y * width + x) + part], sorted(scores, reverse=True)[:top_k], temperature)
    return result


def _best(query, keys, first, recent, top_k, radius, first_radius, cell):
    """The ``top_k`` best (score, index) of a cell."""
    height, width, _ = query.shape
    (y, x), candidates = cell, []
    for slot, reach in [*((slot, first_radius) for slot in first), *((slot, radius) for slot in recent)]:
        for v in range(height):
            for u in range(width):
                if reach is None or math.sqrt((y - v) ** 2 + (x - u) ** 2) < reach:
                    score = float(np.dot(query[y, x], keys[slot, v, u]))
                    candidates.append((score, (slot * height + v) * width + u))
    return sorted(candidates, reverse=True)[:top_k]


def _weigh(row, best, temperature):
    """Add the softmax over the best to a row of weights, in place."""
    exponentials = [math.exp(score / temperature) for score, _ in best]
    for (_, index), exponential in zip(best, exponentials, strict=True):
        row[index] += exponential / sum(exponentials)
