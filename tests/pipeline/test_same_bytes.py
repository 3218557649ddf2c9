"""The demo in small, every stage by hand, twice: the same artifacts to the byte, with any number of loader workers."""

import hashlib
import shlex
from pathlib import Path

import pytest
import yaml

from maskvos.composition import compose, write_params
from tests.pipeline.conftest import Checkout
from tests.pipeline.dry_runs import snakemake_dry_run
from tests.zygote import Zygote

ROOT = Path(__file__).resolve().parents[2]
SMALL = [
    *("generator.train_sequences=6", "generator.evaluation_sequences=2", "generator.frames=8"),
    *("generator.height=96", "generator.width=128", "prepare.short_side=72", "clustering.short_side=72"),
    *("networks.embedding_dim=32", "networks.mask_embedding_dim=32", "networks.decoder_width=16"),
    *("backbone_pretraining.batch=16", "correspondence.epochs=3", "correspondence.batch=3"),
    *("segmentation.epochs=2", "segmentation.batch=3", "evaluation.rows=[copy,correspondence,full]"),
    *("collapse.action=warn", "runtime.threads=1"),
]
OF_THIS_RUN = ("report",)  # it says when and how long


def run(zygote, folder, workers):
    """All stages in order; sha256 of every artifact by path."""
    folder.mkdir()
    Checkout(folder)
    write_params(compose(ROOT, ["preset=demo", *SMALL, f"runtime.workers={workers}"]), folder / "params.yaml")
    dag = snakemake_dry_run(folder, everything=True).dag
    for layer in dag.toposorted():
        for job in layer:
            if job.rule.name == "all":
                continue
            _, script, *arguments = shlex.split(job.shellcmd)
            pid = zygote.start(folder, Path(script).name, arguments)
            assert zygote.wait(pid) == 0, f"{job.shellcmd}\n{(folder / 'printed').read_text()}"
    found = {
        str(path.relative_to(folder / "artifacts")): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((folder / "artifacts").rglob("*"))
        if path.is_file()
    }
    return {name: digest for name, digest in found.items() if not name.startswith(OF_THIS_RUN)}


@pytest.mark.slow
def test_two_runs_give_the_same_bytes_whatever_the_workers(tmp_path):
    zygote = Zygote()
    try:
        first, second = run(zygote, tmp_path / "first", 0), run(zygote, tmp_path / "second", 2)
    finally:
        zygote.close()
    assert first == second
    kinds = {Path(name).suffix for name in first}
    assert {".safetensors", ".csv", ".json", ".png", ".zip"} <= kinds
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    assert len(first) > len(stages)
