# One row of the results table on one evaluation set. Rows without trained weights need the dataset only.


rule evaluate_baseline:
    input:
        dataset="artifacts/data/{set}.json",
    output:
        predictions=directory("artifacts/evaluation/{set}/{row}/predictions"),
        metrics="artifacts/evaluation/{set}/{row}/metrics.json",
        objects="artifacts/evaluation/{set}/{row}/objects.csv",
    wildcard_constraints:
        row="copy|lab|untrained",
    params:
        settings=settings("evaluate"),
    log:
        "logs/evaluate-{set}-{row}.log",
    conda:
        "../envs/environment.yaml"
    threads: TABLE["evaluate_baseline"]["threads"]
    resources:
        **resources(TABLE["evaluate_baseline"]),
    shell:
        "python stages/evaluate.py --params params.yaml --dataset {input.dataset} --row {wildcards.row}"
        " --predictions {output.predictions} --metrics {output.metrics} --objects {output.objects}"
        " --checkpoints checkpoints/evaluation/{wildcards.set}/{wildcards.row}"


rule evaluate_model:
    input:
        dataset="artifacts/data/{set}.json",
        weights=row_weights,
    output:
        predictions=directory("artifacts/evaluation/{set}/{row}/predictions"),
        metrics="artifacts/evaluation/{set}/{row}/metrics.json",
        objects="artifacts/evaluation/{set}/{row}/objects.csv",
    wildcard_constraints:
        row="backbone|correspondence|full",
    params:
        settings=settings("evaluate"),
    log:
        "logs/evaluate-{set}-{row}.log",
    conda:
        "../envs/environment.yaml"
    threads: TABLE["evaluate_model"]["threads"]
    resources:
        **resources(TABLE["evaluate_model"]),
    shell:
        "python stages/evaluate.py --params params.yaml --dataset {input.dataset} --row {wildcards.row}"
        " --weights {input.weights}"
        " --predictions {output.predictions} --metrics {output.metrics} --objects {output.objects}"
        " --checkpoints checkpoints/evaluation/{wildcards.set}/{wildcards.row}"
