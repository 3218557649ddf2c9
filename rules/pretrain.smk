# The encoder: DINO on single frames, then correspondence on clips.
# --checkpoints is working state, no output: Snakemake deletes outputs before it reruns a job.


rule pretrain_backbone:
    input:
        frames="artifacts/frames",
    output:
        weights=directory("artifacts/backbone/weights"),
        curves="artifacts/backbone/curves.csv",
    params:
        settings=settings("pretrain_backbone"),
    log:
        "logs/pretrain_backbone.log",
    conda:
        "../envs/environment.yaml"
    threads: TABLE["pretrain_backbone"]["threads"]
    resources:
        **training_resources("pretrain_backbone"),
    shell:
        "python stages/pretrain_backbone.py --params params.yaml --frames {input.frames}"
        " --output {output.weights} --curves {output.curves} --checkpoints checkpoints/backbone"


rule pretrain_correspondence:
    input:
        frames="artifacts/frames",
        weights="artifacts/backbone/weights",
    output:
        weights=directory("artifacts/correspondence/weights"),
        curves="artifacts/correspondence/curves.csv",
    params:
        settings=settings("pretrain_correspondence"),
    log:
        "logs/pretrain_correspondence.log",
    conda:
        "../envs/environment.yaml"
    threads: TABLE["pretrain_correspondence"]["threads"]
    resources:
        **training_resources("pretrain_correspondence"),
    shell:
        "python stages/pretrain_correspondence.py --params params.yaml --frames {input.frames}"
        " --weights {input.weights} --output {output.weights} --curves {output.curves}"
        " --checkpoints checkpoints/correspondence"
