"""Dry runs of both tools inside this process: what they would run, without the seconds that starting them costs."""

import re

import yaml
from dvc.repo import Repo
from snakemake.api import SnakemakeApi
from snakemake.settings.enums import RerunTrigger
from snakemake.settings.types import DAGSettings, OutputSettings, Quietness, ResourceSettings


def snakemake_dry_run(folder, everything=False):
    """Snakemake's workflow after a dry run in ``folder``, with the repository's triggers, or forced."""
    triggers = yaml.safe_load((folder / "profiles/default/config.yaml").read_text())["rerun-triggers"]
    settings = DAGSettings(forceall=everything, rerun_triggers=RerunTrigger.parse_choices_set(triggers))
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        workflow = api.workflow(
            resource_settings=ResourceSettings(cores=1), snakefile=folder / "Snakefile", workdir=folder
        )
        workflow.dag(dag_settings=settings).execute_workflow(executor="dryrun")
        return workflow._workflow


def snakemake_reruns(folder):
    """Names of the stages that Snakemake would run."""
    dag = snakemake_dry_run(folder).dag
    return sorted(_name(job.shellcmd) for job in dag.jobs if dag.needrun(job) and job.rule.name != "all")


def dvc_reruns(folder):
    """Names of the stages that DVC would run if every stage that runs wrote something new."""
    with Repo(str(folder)) as repo:
        return sorted(_name(stage.cmd) for stage in repo.reproduce(dry=True, force_downstream=True))


def _name(command):
    """As in ran.txt: the script, then its round, row or dataset."""
    parts = [re.search(pattern, command) for pattern in (r"--round (\S+)", r"--row (\S+)", r"--dataset (\w+) ")]
    return "-".join([re.search(r"stages/(\w+)\.py", command)[1], *(part[1] for part in parts if part)])
