import re

from maskvos.evaluation.comparison import compare_runs
from maskvos.evaluation.verdict import verdict
from tests.evaluation.pairs import make_runs


def test_the_better_run_is_named_whichever_comes_first():
    first, second = make_runs([0.04] * 9, noise=0.02)
    pattern = r"{} is better by (\S+) J&F, 95 % interval (\S+) to (\S+) over 9 sequences \(18 objects\)\."
    one = re.fullmatch(pattern.format("B"), verdict(compare_runs(first, second)))
    other = re.fullmatch(pattern.format("A"), verdict(compare_runs(second, first)))
    assert one
    assert other
    assert one.groups() == other.groups()
    difference, low, high = map(float, one.groups())
    assert 0 < low < difference < high
    assert 2 < difference < 4  # 0.75 * 0.04, in percent


def test_an_interval_that_holds_0_tells_nothing():
    text = verdict(compare_runs(*make_runs([0.1, -0.1, 0.05, -0.02, 0.04, -0.08]), confidence=0.9))
    assert re.fullmatch(
        r"No difference can be told: [AB] is ahead by \d\.\d J&F, 90 % interval −\d\.\d to \d\.\d "
        r"over 6 sequences \(12 objects\)\.",
        text,
    ), text


def test_equal_runs_and_too_few_sequences():
    assert verdict(compare_runs(*make_runs([0.0] * 6))).startswith("No difference: A and B score the same in every")
    few = verdict(compare_runs(*make_runs([0.1, 0.2])))
    assert few.startswith(
        "No interval can be given: B is better by 12.5 J&F over 2 sequences (3 objects), and at least 5"
    )


def test_as_many_digits_as_tell_the_runs_apart_and_no_more():
    small = verdict(compare_runs(*make_runs([0.004, 0.003, 0.002, 0.005, 0.004, 0.003])))
    assert re.search(r"better by 0\.\d J&F, 95 % interval 0\.\d to 0\.\d over", small), small
    tiny = verdict(compare_runs(*make_runs([0.0004, 0.0003, 0.0002, 0.0005, 0.0004, 0.0003])))
    assert re.search(r"better by 0\.0\d J&F, 95 % interval 0\.0\d to 0\.0\d over", tiny), tiny
    assert not re.search(r"\b0\.00\b", tiny), tiny
    level = verdict(compare_runs(*make_runs([0.1, -0.1, 0.05, -0.0999, 0.1, -0.05])))
    assert re.search(r"ahead by 0\.0 J&F, 95 % interval −\d+\.\d to \d+\.\d over", level), level
