"""What reruns after a change, in both tools, and how one learns of the other's runs (with quick doubles for stages)."""

import pytest

from maskvos.params import Params
from tests.pipeline.dry_runs import dvc_reruns, snakemake_reruns

SMALL = ["preset=demo", "~data.evaluation.youtubevos", "evaluation.rows=[copy,full]"]
SNAKEMAKE = ("snakemake", "--cores", "2")
BEFORE_SEGMENT = [
    *["fetch-train", "fetch-davis", "prepare", "pretrain_backbone", "pretrain_correspondence", "recluster-0"],
    "evaluate-copy",
]
AFTER_SEGMENT = ["evaluate-full", "recluster-1", "report", "segment-0", "segment-1"]

CHAIN = [
    *["prepare", "pretrain_backbone", "pretrain_correspondence", "recluster-0"],
    *["segment-0", "recluster-1", "segment-1", "evaluate-full", "report"],
]
CASES = {  # one change for each section of the parameters: the stages that rerun, in both tools
    "seed=1": [*CHAIN[1:], "evaluate-copy"],
    "precision=fp32": [*CHAIN[1:], "evaluate-copy"],
    "versions.report=100": ["report"],
    "versions.recluster=100": CHAIN[3:],
    "data.train.split=valid": ["fetch-train", *CHAIN],
    "data.evaluation.davis.split=train": ["fetch-davis", "evaluate-copy", "evaluate-full", "report"],
    "generator.frames=12": ["fetch-train", "fetch-davis", *CHAIN, "evaluate-copy"],
    "prepare.quality=90": CHAIN,
    "networks.mask_embedding_dim=64": [*CHAIN[1:], "evaluate-copy"],
    "backbone_pretraining.momentum=0.8": CHAIN[1:],
    "correspondence.temperature=0.06": CHAIN[2:],
    "clustering.clusters=6": CHAIN[3:],
    "segmentation.learning_rate=0.001": CHAIN[4:],
    "alternate.rounds=3": [*CHAIN[4:], "recluster-2", "segment-2"],
    "inference.top_k=9": ["evaluate-copy", "evaluate-full", "report"],
    "evaluation.rows=[copy,lab,full]": ["evaluate-lab", "report"],
    "collapse.patience=9": ["report"],
    "runtime.workers=0": [],
}


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

    checkout.compose(*SMALL, "versions.segment=100")
    checkout.call("dvc", "repro", "-q")
    assert checkout.ran() == AFTER_SEGMENT
    checkout.call("maskvos.cli", "sync")  # from here on, a wrong hand-over would make the other one run more, or less

    checkout.compose(*SMALL, "versions.segment=101")
    checkout.call(*SNAKEMAKE)
    assert checkout.ran() == AFTER_SEGMENT
    checkout.call("maskvos.cli", "sync")

    checkout.compose(*SMALL, "versions.segment=101", "runtime.threads=1")  # how it is run, not what comes out
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


@pytest.mark.slow
def test_each_parameter_reruns_the_same_stages_in_both_tools(checkout, monkeypatch):
    checkout.compose(*SMALL)
    checkout.commit()
    checkout.call(*SNAKEMAKE)
    checkout.call("maskvos.cli", "sync")
    monkeypatch.chdir(checkout.folder)
    found = {}
    for change in CASES:
        kept = [words for words in SMALL if words.partition("=")[0] != change.partition("=")[0]]
        checkout.compose(*kept, change)
        found[change] = {"snakemake": snakemake_reruns(checkout.folder), "dvc": dvc_reruns(checkout.folder)}
    assert found == {change: {"snakemake": sorted(names), "dvc": sorted(names)} for change, names in CASES.items()}


def test_every_section_of_the_parameters_has_a_case():
    sections = {change.partition("=")[0].partition(".")[0] for change in CASES}
    names_and_what_follows = {"preset", "ablation", "plan"}
    assert sections == set(Params.model_fields) - names_and_what_follows
