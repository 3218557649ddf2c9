"""What reruns after a change, in both tools, and how one learns of the other's runs (with quick doubles for stages)."""

import pytest

SMALL = ["preset=demo", "~data.evaluation.youtubevos", "evaluation.rows=[copy,full]"]
SNAKEMAKE = ("snakemake", "--cores", "2")
BEFORE_SEGMENT = [
    *["fetch-train", "fetch-davis", "prepare", "pretrain_backbone", "pretrain_correspondence", "recluster-0"],
    "evaluate-copy",
]
AFTER_SEGMENT = ["evaluate-full", "recluster-1", "report", "segment-0", "segment-1"]


def nothing_to_do(checkout):
    checkout.call("dvc", "status", "-q")  # its exit status tells
    return "Nothing to be done" in checkout.call("snakemake", "-n", "--cores", "1")


@pytest.mark.slow
def test_both_tools_rerun_the_same_and_hand_over(checkout):
    checkout.compose(*SMALL)
    checkout.commit()
    checkout.call(*SNAKEMAKE)
    assert checkout.ran() == sorted([*AFTER_SEGMENT, *BEFORE_SEGMENT])
    checkout.call("maskvos.cli", "sync")
    assert nothing_to_do(checkout)

    checkout.compose(*SMALL, "versions.segment=2")
    checkout.call("dvc", "repro", "-q")
    assert checkout.ran() == AFTER_SEGMENT
    checkout.call("maskvos.cli", "sync")  # from here on, a wrong hand-over would make the other one run more, or less

    checkout.compose(*SMALL, "versions.segment=3")
    checkout.call(*SNAKEMAKE)
    assert checkout.ran() == AFTER_SEGMENT
    checkout.call("maskvos.cli", "sync")

    checkout.compose(*SMALL, "versions.segment=3", "runtime.threads=1")  # how it is run, not what comes out
    assert nothing_to_do(checkout)

    checkout.compose(*SMALL, "seed=1")
    with pytest.raises(AssertionError, match="neither Snakemake nor DVC is up to date"):
        checkout.call("maskvos.cli", "sync")
    assert checkout.ran() == []


@pytest.mark.slow
def test_an_experiment_may_change_the_shape_of_the_graph(checkout):
    checkout.compose(*SMALL)
    checkout.commit()
    checkout.call(
        "dvc", "exp", "run", "-q", *[part for key in (*SMALL[1:], "alternate.rounds=3") for part in ("-S", key)]
    )
    ran = checkout.ran()
    assert "recluster-2" in ran and "segment-2" in ran
    checkout.call("maskvos.cli", "sync")
    assert nothing_to_do(checkout)
