"""What a comparison says, in a sentence."""

from maskvos.evaluation.bootstrap import FEWEST, Interval
from maskvos.evaluation.comparison import COMPARED, Comparison


def verdict(comparison: Comparison) -> str:
    """The outcome in a sentence, in J&F as the field prints it (percent)."""
    found = comparison.intervals["J&F_mean"]
    count = len(comparison.sequences)
    over = f"over {count} sequence{'s' * (count != 1)} ({comparison.objects} object{'s' * (comparison.objects != 1)})"
    if not any(comparison.difference(name, figure) for name in comparison.sequences for figure in COMPARED):
        return f"No difference: A and B score the same in every sequence, {over}."
    decimals = _decimals(found)
    better, size = "AB"[found.difference > 0], f"{100 * abs(found.difference):.{decimals}f}"
    if found.low is None or found.high is None:
        return (
            f"No interval can be given: {better} is better by {size} J&F {over}, and at least {FEWEST} sequences are "
            "needed to tell a difference from chance."
        )
    ends = (found.low, found.high) if found.difference > 0 else (-found.high, -found.low)
    low, high = (f"{100 * end:.{decimals}f}".replace("-", "−") for end in ends)
    interval = f"{100 * comparison.confidence:g} % interval {low} to {high} {over}"
    if ends[0] > 0:
        return f"{better} is better by {size} J&F, {interval}."
    return f"No difference can be told: {better} is ahead by {size} J&F, {interval}."


def _decimals(found: Interval) -> int:
    """One, or as many as it takes (up to 4) that neither what tells the runs apart nor the width is printed as 0."""
    ends = [abs(100 * end) for end in (found.low, found.high) if end is not None]
    tells = found.low is None or found.high is None or found.low * found.high > 0
    numbers = [abs(100 * found.difference), *ends] if tells else [max(ends)]
    return next((decimals for decimals in range(1, 4) if all(n >= 0.5 * 10**-decimals for n in numbers)), 4)
