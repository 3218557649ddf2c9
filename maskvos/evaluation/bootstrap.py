"""How sure the difference of two runs is: a paired bootstrap over sequences.

The figure of a set is a mean over objects, but objects of one sequence share its frames and its mishaps: what was
drawn by chance are sequences. A resample therefore draws whole sequences with replacement, and takes the mean over all
objects of those drawn (a cluster bootstrap of a ratio: the number of objects differs from resample to resample).

The interval is the percentile one with Hesterberg's correction for few samples (2015, "expanded percentile"): plain
percentiles are as much too narrow as the normal interval with the divisor n. Simulated coverage of a 95 % interval,
600 sets each, normal differences: with 30 sequences 0.933 (percentile), 0.920 (BCa), 0.945 (expanded); with 14 they are
0.913, 0.905, 0.948 (docs/evaluation.md has more). BCa helps only where few sequences hold all of the difference, and
there, too, it stays far below: no interval from 30 sequences can know a tail that they hardly show.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

FEWEST = 5  # sequences; with fewer, resamples are too few and too alike for an interval
_AT_ONCE = 1000  # resamples: 4 MB for the 507 sequences of YouTube-VOS valid


@dataclass(frozen=True)
class Interval:
    """A difference of means over objects, and between which values it lies; None where sequences are too few."""

    difference: float
    low: float | None
    high: float | None


def paired_intervals(
    totals: np.ndarray, counts: np.ndarray, confidence: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> list[Interval]:
    """One interval a figure, all from the same resamples.

    Args:
        totals: (S, K) of each sequence and figure, the sum of its objects' differences.
        counts: (S,) objects of each sequence.
        confidence: in 0..1 (exclusive).
        resamples: how many.
        seed: of the draws; the same seed gives the same interval.
    """
    differences = (totals.sum(0) / counts.sum()).tolist()
    sequences = len(counts)
    if sequences < FEWEST:
        return [Interval(difference, None, None) for difference in differences]
    random = np.random.default_rng(seed)
    sizes = [min(_AT_ONCE, resamples - done) for done in range(0, resamples, _AT_ONCE)]
    drawn = (random.multinomial(sequences, np.full(sequences, 1 / sequences), size) for size in sizes)
    means = np.concatenate([resampled_means(totals, counts, times) for times in drawn])
    tail = expanded_tail(confidence, sequences)
    bounds = np.quantile(means, (tail, 1 - tail), axis=0).T.tolist()
    return [Interval(difference, *ends) for difference, ends in zip(differences, bounds, strict=True)]


def resampled_means(totals: np.ndarray, counts: np.ndarray, times: np.ndarray) -> np.ndarray:
    """(B, K) means over objects where sequence s was drawn ``times[b, s]`` times; see `paired_intervals`."""
    means: np.ndarray = times @ totals / (times @ counts)[:, None]
    return means


def expanded_tail(confidence: float, samples: int) -> float:
    """Share of resamples to cut off at each end: as if the percentile interval were Student's, not the normal one."""
    quantile = student_quantile((1 + confidence) / 2, samples - 1)
    return NormalDist().cdf(-math.sqrt(samples / (samples - 1)) * quantile)


def student_quantile(share: float, freedom: int) -> float:
    """Quantile of Student's t by the expansion in 1/freedom (Abramowitz and Stegun 26.7.5); 1e-3 from 4 degrees on."""
    z = NormalDist().inv_cdf(share)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, start=1))
