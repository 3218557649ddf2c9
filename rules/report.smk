# The page about the whole run. It reads what all other stages wrote.


rule report:
    input:
        expand("artifacts/data/{name}.json", name=["train", *PLAN.sets]),
        "artifacts/frames",
        expand("artifacts/{stage}/{part}", stage=["backbone", "correspondence"], part=["weights", "curves.csv"]),
        expand(
            "artifacts/rounds/{round}/{part}",
            round=PLAN.rounds,
            part=["pseudo_masks.safetensors", "clustering.json", "weights", "curves.csv"],
        ),
        expand(
            "artifacts/evaluation/{row}/{part}",
            row=[f"{row.set}/{row.row}" for row in [*PLAN.baselines.values(), *PLAN.models.values()]],
            part=["predictions", "metrics.json", "objects.csv"],
        ),
    output:
        "artifacts/report/report.html",
    params:
        settings=settings("report"),
    log:
        "logs/report.log",
    conda:
        "../envs/environment.yaml"
    threads: TABLE["report"]["threads"]
    resources:
        **resources(TABLE["report"]),
    shell:
        "python stages/report.py --params params.yaml --artifacts artifacts --logs logs --output {output}"
