"""k-means written from its definition, one point at a time in float64: what every backend is held against."""

import numpy as np


def plain_lloyd(points, centroids, iterations):
    """Labels, mean squared distance to the nearest centroid, number of assignments.

    Lloyd: assign each point to its nearest centroid; stop when no assignment changed; else move each centroid to the
    mean of its points, where a centroid without points first takes the point farthest from its own centroid among the
    clusters of two or more (no point twice, none that lies on its centroid).
    """
    points = [[float(value) for value in point] for point in points]
    centroids = [[float(value) for value in centroid] for centroid in centroids]
    labels = None
    for count in range(1, iterations + 1):
        nearest, distances = [], []
        for point in points:
            squares = [sum((a - b) ** 2 for a, b in zip(point, centroid, strict=True)) for centroid in centroids]
            nearest.append(squares.index(min(squares)))
            distances.append(min(squares))
        if count == iterations or nearest == labels:
            break
        labels = restart(list(nearest), list(distances), len(centroids))
        for number in range(len(centroids)):
            own = [point for point, label in zip(points, labels, strict=True) if label == number]
            if own:
                centroids[number] = [sum(values) / len(own) for values in zip(*own, strict=True)]
    return np.array(nearest), sum(distances) / len(distances), count


def restart(labels, distances, clusters):
    for number in range(clusters):
        if number in labels:
            continue
        candidates = [i for i, label in enumerate(labels) if labels.count(label) > 1 and distances[i] > 0]
        if not candidates:
            break
        farthest = max(candidates, key=lambda i: (distances[i], -i))
        labels[farthest], distances[farthest] = number, 0.0
    return labels


def emptied_late():
    """Two of 4002 points belong to the last start, and leave it in the second iteration: the only ones that change."""
    points = np.array([[0.0]] * 2000 + [[32.0]] * 2000 + [[1.0], [30.0]], np.float32)
    return points, np.array([[-7.0], [55.0], [8.0]], np.float32)
