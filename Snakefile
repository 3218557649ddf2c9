# The experiment's graph for clusters: `snakemake --cores all` here, `snakemake --profile slurm` on Slurm.
# dvc.yaml is the same graph for DVC; tests/pipeline/ holds the two together. docs/workflow.md explains both.


include: "rules/common.smk"


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
