# Rounds of re-clustering and mask embedding: a chain, each round from the weights of the one before.


rule recluster:
    input:
        frames="artifacts/frames",
        weights=previous_weights,
    output:
        masks="artifacts/rounds/{round}/pseudo_masks.safetensors",
        statistics="artifacts/rounds/{round}/clustering.json",
    params:
        settings=settings("recluster"),
    log:
        "logs/recluster-{round}.log",
    conda:
        "../envs/environment.yaml"
    threads: TABLE["recluster"]["threads"]
    resources:
        **resources(TABLE["recluster"]),
    shell:
        "python stages/recluster.py --params params.yaml --round {wildcards.round} --frames {input.frames}"
        " --weights {input.weights} --output {output.masks} --statistics {output.statistics}"
        " --checkpoints checkpoints/clustering/{wildcards.round}"


rule segment:
    input:
        frames="artifacts/frames",
        weights=previous_weights,
        masks="artifacts/rounds/{round}/pseudo_masks.safetensors",
    output:
        weights=directory("artifacts/rounds/{round}/weights"),
        curves="artifacts/rounds/{round}/curves.csv",
    params:
        settings=settings("segment"),
    log:
        "logs/segment-{round}.log",
    conda:
        "../envs/environment.yaml"
    threads: TABLE["segment"]["threads"]
    resources:
        **training_resources("segment"),
    shell:
        "python stages/segment.py --params params.yaml --round {wildcards.round} --frames {input.frames}"
        " --weights {input.weights} --pseudo-masks {input.masks} --output {output.weights} --curves {output.curves}"
        " --checkpoints checkpoints/rounds/{wildcards.round}"
