# The parameters, checked before anything runs, and what every rule takes from them.
from pathlib import Path

import yaml

from maskvos.orchestration import declared_parameters, fetch_parameters, has_gpu, planned, resources, tracked
from maskvos.params import read_all_params

PARAMS = "params.yaml"
EXPERIMENT = read_all_params(PARAMS)  # an unknown key or a wrong value stops here
PLAN, RUNTIME = EXPERIMENT.plan, EXPERIMENT.runtime
CONTENT = yaml.safe_load(Path(PARAMS).read_text())
TABLE = yaml.safe_load(Path("rules/resources.yaml").read_text())


def settings(stage):
    """The parameters whose change reruns a stage: those that its script declares."""
    return tracked(CONTENT, declared_parameters(Path(f"stages/{stage}.py")))


def training_resources(stage):
    return resources(TABLE[stage], RUNTIME.processes, RUNTIME.nodes)


def fetch_settings(wildcards):
    datasets = {"train": "train", **PLAN.sets}
    planned(datasets, wildcards.dataset, "dataset", "Give an evaluation set its path to have it.")
    return tracked(CONTENT, fetch_parameters(declared_parameters(Path("stages/fetch.py")), wildcards.dataset))


def previous_weights(wildcards):
    """What a round starts from."""
    return planned(PLAN.rounds, wildcards.round, "round", "Raise alternate.rounds to have more.").previous


def row_weights(wildcards):
    name = f"{wildcards.set}-{wildcards.row}"
    return planned(PLAN.models, name, "row of a set", "Add the row to evaluation.rows, or give the set its path.").weights


# Two jobs must not share a GPU: without this, Snakemake takes the number of GPUs on one machine for unlimited. Without
# a GPU there is nothing to share: then the cores alone decide how many jobs run at once.
if workflow.local_exec and workflow.is_main_process and has_gpu():
    workflow.global_resources.setdefault("gpu", 1)
