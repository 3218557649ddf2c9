"""Snakemake and DVC describe one graph: outputs, inputs, commands, and the parameters of each stage."""

import re

import pytest
from dvc.dependency import ParamsDependency
from dvc.repo import Repo

from maskvos.orchestration import declared_parameters, fetch_parameters
from tests.pipeline.dry_runs import snakemake_dry_run

PLANS = {
    "demo": ["preset=demo"],
    "one set, one round": ["alternate.rounds=1", "~data.evaluation.youtubevos", "evaluation.rows=[copy,full]"],
    "four rounds, all rows": [
        "alternate.rounds=4",
        "evaluation.rows=[copy,lab,untrained,backbone,correspondence,full]",
    ],
    "nothing to evaluate": ["preset=clips", "data.train.path=videos"],
    "paper": ["preset=paper_r50"],
}


def dvc_graph(folder):
    """First output -> what DVC's resolved index says of the stage that makes it."""
    graph = {}
    with Repo(str(folder)) as repo:
        for stage in repo.index.stages:
            outputs = sorted(output.def_path for output in stage.outs)
            parameters = [part for part in stage.deps if isinstance(part, ParamsDependency)]
            graph[outputs[0]] = {
                "command": stage.cmd,
                "outputs": outputs,
                "inputs": sorted(part.def_path for part in stage.deps if not isinstance(part, ParamsDependency)),
                "parameters": sorted(name for part in parameters for name in part.params),
            }
    return graph


def snakemake_graph(folder):
    """The same as `dvc_graph` of a forced dry run."""
    jobs = [job for job in snakemake_dry_run(folder, everything=True).dag.jobs if job.rule.name != "all"]
    return {
        sorted(job.output)[0]: {
            "command": job.shellcmd,
            "outputs": sorted(job.output),
            "inputs": sorted(job.input),
            "parameters": sorted(job.params["settings"]),
        }
        for job in jobs
    }


def widen(inputs, folders):
    """Inputs with those that lie in one of the given folders replaced by that folder."""
    return sorted(
        {next((place for place in sorted(folders) if f"{name}/".startswith(f"{place}/")), name) for name in inputs}
    )


@pytest.mark.parametrize("overrides", PLANS.values(), ids=PLANS)
def test_both_tools_describe_one_graph(checkout, overrides, monkeypatch):
    monkeypatch.chdir(checkout.folder)
    checkout.compose(*overrides)
    dvc, snakemake = dvc_graph(checkout.folder), snakemake_graph(checkout.folder)
    report = "artifacts/report/report.html"
    # DVC's report depends on folders, so that a round or row that joins counts; Snakemake names the files in them.
    folders = dvc[report]["inputs"]
    for graph in (snakemake, dvc):
        graph[report]["inputs"] = widen(graph[report]["inputs"], folders)
    assert snakemake == dvc


def test_report_reads_every_other_output(checkout, monkeypatch):
    monkeypatch.chdir(checkout.folder)
    checkout.compose("preset=demo")
    graph = snakemake_graph(checkout.folder)
    report = graph.pop("artifacts/report/report.html")
    assert report["inputs"] == sorted(output for stage in graph.values() for output in stage["outputs"])


def test_stages_declare_what_both_tools_track(checkout, monkeypatch):
    monkeypatch.chdir(checkout.folder)
    checkout.compose("preset=demo")
    for stage in dvc_graph(checkout.folder).values():
        script = checkout.folder / stage["command"].split()[1]
        declared = declared_parameters(script)
        if script.name == "fetch.py":
            declared = fetch_parameters(declared, re.search(r"--dataset (\S+)", stage["command"])[1])
        assert stage["parameters"] == sorted(declared), script.name


def test_no_stage_tracks_how_the_work_is_run(checkout, monkeypatch):
    monkeypatch.chdir(checkout.folder)
    checkout.compose("preset=demo")
    graph = dvc_graph(checkout.folder)
    assert not [stage for stage in graph.values() if "runtime" in stage["parameters"]]
    tracking = [name for name, stage in graph.items() if "collapse" in stage["parameters"]]
    assert tracking == ["artifacts/report/report.html"]  # which prints the limits; they change no other result


@pytest.mark.parametrize("present", [True, False])
def test_a_local_run_limits_the_gpu_where_there_is_one(checkout, monkeypatch, present):
    driver = checkout.folder / "nvidiactl"
    if present:
        driver.touch()
    monkeypatch.chdir(checkout.folder)
    monkeypatch.setattr("maskvos.orchestration.GPU_DEVICES", (str(driver),))
    checkout.compose("preset=demo")
    limit = snakemake_dry_run(checkout.folder).global_resources.get("gpu")
    assert (limit and limit.value) == (1 if present else None)


def test_dvc_plots_draws_the_loss_of_every_trained_stage_and_what_tells_of_collapse(checkout, monkeypatch):
    monkeypatch.chdir(checkout.folder)
    checkout.compose("preset=demo", "alternate.rounds=3")
    files = [
        f"artifacts/{name}/curves.csv" for name in ("backbone", "correspondence", "rounds/0", "rounds/1", "rounds/2")
    ]
    for name in files:
        curves = checkout.folder / name
        curves.parent.mkdir(parents=True)
        curves.write_text("step,loss,similarity,effective_rank\n1,0.5,0.3,30\n")
    with Repo(str(checkout.folder)) as repo:
        shown = repo.plots.show()["workspace"]
    row = {"step": "1", "loss": "0.5", "similarity": "0.3", "effective_rank": "30"}
    assert {name: source.get("data") for name, source in shown["sources"]["data"].items()} == {
        name: [row] for name in files
    }
    drawn = {name: plot["y"] for name, plot in shown["definitions"]["data"]["dvc.yaml"]["data"].items()}
    for column in ("similarity", "effective_rank"):
        assert drawn[column] == dict.fromkeys(files[:3], column)
    assert drawn["teacher"] == {files[0]: ["teacher_entropy", "batch_entropy", "information"]}


def test_dvc_plots_draws_the_rest_where_a_stage_made_no_step(checkout, monkeypatch):
    """correspondence.epochs=0 leaves a curve of a header alone."""
    monkeypatch.chdir(checkout.folder)
    checkout.compose("preset=demo", "ablation=losses_seg_only")
    for name, text in (("backbone", "step,loss\n1,0.5\n"), ("correspondence", "step\n")):
        (checkout.folder / "artifacts" / name).mkdir(parents=True)
        (checkout.folder / "artifacts" / name / "curves.csv").write_text(text)
    checkout.call("dvc", "plots", "show", "-o", "page")
    page = (checkout.folder / "page" / "index.html").read_text()
    assert '"title": {"text": "DINO"' in page and '"title": {"text": "Correspondence"' not in page
