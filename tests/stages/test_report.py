"""The stage `report`, run as both orchestrators run it."""

import argparse
import json
import os
import runpy
import subprocess
import sys

import pytest

from maskvos.errors import UserError
from maskvos.params import Params
from tests.report.tree import ROOT, make_tree, write_params


def run(folder):
    write_params(folder / "params.yaml")
    command = [sys.executable, str(ROOT / "stages/report.py"), "--params", "params.yaml", "--artifacts", "artifacts"]
    command += ["--logs", "logs", "--output", "artifacts/report/report.html"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "GIT_CEILING_DIRECTORIES": str(folder.parent)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_writes_the_page_and_the_record(tmp_path):
    make_tree(tmp_path)
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    page = tmp_path / "artifacts/report/report.html"
    assert page.read_text().startswith("<!doctype html>")
    assert json.loads((tmp_path / "logs/report.json").read_text())["bytes"] == page.stat().st_size


def test_a_failure_leaves_no_page(tmp_path):
    artifacts, logs = make_tree(tmp_path)
    write_params(tmp_path / "params.yaml")
    (artifacts / "evaluation/davis/full/metrics.json").write_text("{")
    stage = runpy.run_path(str(ROOT / "stages/report.py"))
    paths = {"params": tmp_path / "params.yaml", "output": tmp_path / "report.html"}
    with pytest.raises(UserError, match=r"full/metrics\.json"):
        stage["main"](argparse.Namespace(artifacts=artifacts, logs=logs, **paths))
    assert not (tmp_path / "report.html").exists()


def test_declares_every_section_but_runtime():
    text = (ROOT / "stages/report.py").read_text()
    assert all(f'"{name}"' in text for name in Params.model_fields if name != "runtime")
