# From a dataset to the frame store.


rule fetch:
    output:
        "artifacts/data/{dataset}.json",
    wildcard_constraints:
        dataset="[a-z0-9_]+",
    params:
        settings=fetch_settings,
    log:
        "logs/fetch-{dataset}.log",
    conda:
        "../envs/environment.yaml"
    threads: TABLE["fetch"]["threads"]
    resources:
        **resources(TABLE["fetch"]),
    shell:
        "python stages/fetch.py --params params.yaml --dataset {wildcards.dataset} --output {output}"


rule prepare:
    input:
        "artifacts/data/train.json",
    output:
        directory("artifacts/frames"),
    params:
        settings=settings("prepare"),
    log:
        "logs/prepare.log",
    conda:
        "../envs/environment.yaml"
    threads: TABLE["prepare"]["threads"]
    resources:
        **resources(TABLE["prepare"]),
    shell:
        "python stages/prepare.py --params params.yaml --dataset {input} --output {output}"
