# From a dataset to the frame store.


rule fetch:
    output:
        "artifacts/data/{dataset}.json",
    wildcard_constraints:
        dataset="[a-z0-9_]+",
    params:
        settings=lambda wildcards: tracked(
            CONTENT, fetch_parameters(declared_parameters(Path("stages/fetch.py")), wildcards.dataset)
        ),
    log:
        "logs/fetch-{dataset}.log",
    conda:
        "../envs/environment.yaml"
    threads: THREADS["fetch"]
    resources:
        **resources(TABLE, "fetch"),
    shell:
        "python stages/fetch.py --params params.yaml --dataset {wildcards.dataset} --output {output}"


rule prepare:
    input:
        "artifacts/data/train.json",
    output:
        directory("artifacts/frames"),
    params:
        settings=settings("prepare.py"),
    log:
        "logs/prepare.log",
    conda:
        "../envs/environment.yaml"
    threads: THREADS["prepare"]
    resources:
        **resources(TABLE, "prepare"),
    shell:
        "python stages/prepare.py --params params.yaml --dataset {input} --output {output}"
