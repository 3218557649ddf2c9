# The experiment's graph for clusters: `snakemake --cores all` here, `snakemake --profile slurm` on Slurm.
# dvc.yaml is the same graph for DVC; tests/pipeline/ holds the two together. docs/workflow.md explains both.
from pathlib import Path

import yaml

from maskvos.orchestration import declared_parameters, fetch_parameters, resources, tracked
from maskvos.params import read_all_params

PARAMS = read_all_params("params.yaml")  # an unknown key or a wrong value stops here, before anything runs
CONTENT = yaml.safe_load(Path("params.yaml").read_text())
PLAN = PARAMS.plan
TABLE = Path("rules/resources.yaml")
THREADS = {stage: row["threads"] for stage, row in yaml.safe_load(TABLE.read_text()).items()}


def settings(script):
    """The parameters whose change reruns a stage: those that its script declares."""
    return tracked(CONTENT, declared_parameters(Path("stages") / script))


# Two jobs must not share a GPU: without this, Snakemake takes the number of GPUs on one machine for unlimited.
if workflow.local_exec and workflow.is_main_process:
    workflow.global_resources.setdefault("gpu", 1)


wildcard_constraints:
    set="[a-z0-9_]+",
    round="[0-9]+",


container: "envs/maskvos.sif"


include: "rules/data.smk"
include: "rules/pretrain.smk"
include: "rules/alternate.smk"
include: "rules/evaluate.smk"
include: "rules/report.smk"


rule all:
    default_target: True
    input:
        rules.report.output,
