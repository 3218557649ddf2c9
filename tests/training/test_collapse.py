"""What counts as a collapse, when a run is stopped for it, and what it is told."""

import logging
import math

import pytest
import torch
from torch import nn

from maskvos.errors import UserError
from maskvos.learning.spread import effective_rank, pair_similarity, sample_pixels
from maskvos.training.checkpoints import Checkpoints
from maskvos.training.collapse import FeatureSample, Watch, symptoms
from tests.tiny import collapse

GOOD = {"similarity": 0.3, "effective_rank": 30.0, "information": 1.0}


def curve(*values, column="similarity", every=10):
    return [{"step": every * (n + 1), "loss": 1.0, **GOOD, column: value} for n, value in enumerate(values)]


def watch(steps=range(100), **changes):
    return Watch("stage", steps, collapse(**{"warmup": 0.0, "patience": 3, **changes}))


@pytest.mark.parametrize(
    ("column", "good", "bad", "says"),
    [
        (
            "similarity",
            0.99,
            0.991,
            "similarity 0.991 is above collapse.max_similarity 0.99 (random pixels look alike)",
        ),
        ("effective_rank", 3.0, 2.9, "effective rank 2.9 is below collapse.min_effective_rank 3"),
        ("information", 0.02, 0.01, "information 0.01 is below collapse.min_information 0.02"),
    ],
)
def test_each_column_has_its_limit(column, good, bad, says):
    assert symptoms({**GOOD, column: good}, collapse()) == []
    assert len(found := symptoms({**GOOD, column: bad}, collapse())) == 1 and found[0].startswith(says)
    assert symptoms({**GOOD, column: math.nan}, collapse()) == []


def test_columns_that_a_stage_lacks_show_nothing():
    assert symptoms({"step": 1.0, "loss": 3.0}, collapse()) == []
    assert len(symptoms({"similarity": 1.0, "effective_rank": 1.0}, collapse())) == 2


def test_only_the_rows_at_the_end_that_follow_one_another_count():
    assert len(watch().ill(curve(1.0, 1.0, 0.3, 1.0, 1.0))) == 2
    assert watch().ill(curve(1.0, 1.0, 0.3)) == []
    assert watch().ill([]) == []


def test_rows_of_the_warm_up_do_not_count():
    rows = curve(1.0, 1.0, 1.0, 1.0)
    assert [row["step"] for row in watch(warmup=0.2).ill(rows)] == [30, 40]
    assert watch(warmup=1.0).ill(rows) == []
    later = [{**row, "step": row["step"] + 500} for row in rows]  # a later round: its own first steps
    assert [row["step"] for row in watch(range(500, 600), warmup=0.2).ill(later)] == [530, 540]


def test_a_run_stops_after_its_patience_and_says_what_was_seen(tmp_path):
    checkpoints = Checkpoints(tmp_path, "run")
    checkpoints.save(10, {})
    watch().judge(curve(0.5, 0.995, 0.999), checkpoints)
    with pytest.raises(UserError) as stop:
        watch().judge(curve(0.5, 0.995, 0.999, 0.9985), checkpoints)
    assert str(stop.value) == (
        "stage: the features have collapsed. similarity 0.9985 is above collapse.max_similarity 0.99 (random pixels "
        "look alike), for 3 rows of the curve, steps 20 to 40. Lower this stage's learning_rate or lengthen its "
        f"warmup_epochs, and look at the frames; or set collapse.action=warn. {tmp_path} keeps step 10: with warn, the "
        "same command goes on there."
    )


def test_without_a_checkpoint_none_is_promised_and_dino_gets_advice_of_its_own(tmp_path):
    with pytest.raises(UserError, match=r"centring=sinkhorn; or set collapse\.action=warn\.$"):
        watch().judge(curve(0.0, 0.0, 0.0, column="information"), Checkpoints(tmp_path, "run"))


def test_different_symptoms_make_one_row_of_ill_rows(tmp_path):
    rows = [*curve(1.0), *curve(0.3, 1.0, column="effective_rank")[1:], *curve(0.3, 0.3, 1.0)[2:]]
    with pytest.raises(UserError, match="steps 10 to 30"):
        watch().judge(rows, Checkpoints(tmp_path, "run"))


def test_warn_says_it_once_and_goes_on(tmp_path, caplog):
    caplog.set_level(logging.WARNING, "maskvos")
    rows = curve(*[1.0] * 6)
    for count in range(1, 7):
        watch(action="warn").judge(rows[:count], Checkpoints(tmp_path, "run"))
    assert [record.getMessage().endswith("training goes on") for record in caplog.records] == [True]


def test_checkpoints_wait_while_a_run_may_be_stopped():
    assert watch().withholds(curve(0.3, 1.0))
    assert not watch().withholds(curve(1.0, 0.3))
    assert not watch(action="warn").withholds(curve(0.3, 1.0))


class Network(nn.Module):
    def forward(self, maps):
        return maps, maps.sum()


def test_a_sample_is_taken_from_the_first_pass_of_a_wanted_step():
    network = Network()
    sample = FeatureSample(network, lambda output: output[0])
    first, second = torch.randn(2, 3, 6, 4, 4, generator=torch.Generator().manual_seed(0))
    network(first)
    assert sample.statistics() == {}
    sample.wanted = True
    network(first)
    network(second)
    pixels = sample_pixels(first)
    expected = {"similarity": pair_similarity(pixels), "effective_rank": effective_rank(pixels.flatten(0, 1))}
    assert sample.statistics() == expected
    assert sample.statistics() == {}


def test_a_sampled_pass_has_the_same_gradients():
    maps = torch.randn(2, 3, 4, 4)
    gradients = []
    for watched in (False, True):
        torch.manual_seed(0)
        network = nn.Conv2d(3, 5, 3)
        if watched:
            FeatureSample(network, lambda output: output).wanted = True
        network(maps).square().sum().backward()
        gradients.append((network.weight.grad, torch.rand(3)))
    assert all(torch.equal(*pair) for pair in zip(*gradients, strict=True))
