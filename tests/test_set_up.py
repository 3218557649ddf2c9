"""The environments: one hashed lock serves make, conda and the container, and holds what pyproject.toml asks for."""

import hashlib
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from snakemake.cli import parse_args

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ["requirements.lock", "uv.lock"]


def locked(name):
    """Package -> (requirement, number of hashes) of a lock."""
    text = (ROOT / "envs" / name).read_text().replace("\\\n", " ")
    entries = {}
    for line in text.splitlines():
        requirement, *hashes = re.split(r"\s+--hash=", line.strip())
        parsed = Requirement(requirement)
        entries.setdefault(canonicalize_name(parsed.name), []).append((parsed, len(hashes)))
    return entries


def run_make(*arguments, **environment):
    command = ["make", "-C", str(ROOT), *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True)


@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_is_pinned_and_hashed(name):
    for entries in locked(name).values():
        for requirement, hashes in entries:
            assert [clause.operator for clause in requirement.specifier] == ["=="], requirement
            assert hashes >= 1, requirement


@pytest.mark.parametrize("name", LOCKS)
def test_no_index_address_in_a_lock(name):
    text = (ROOT / "envs" / name).read_text()
    assert not re.search(r"https?:|file:|--(extra-)?index|--find-links|@ ", text)


def test_the_lock_holds_what_pyproject_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = (
        project["project"]["dependencies"] + project["dependency-groups"]["dev"] + project["build-system"]["requires"]
    )
    lock = locked("requirements.lock")
    for text in wanted:
        requirement = Requirement(text)
        entries = lock.get(canonicalize_name(requirement.name), [])
        assert entries, f"{requirement} is not in the lock; run make lock"
        for entry, _ in entries:
            version = next(iter(entry.specifier)).version
            assert requirement.specifier.contains(version, prereleases=True), f"{requirement}, locked {version}"


def test_the_builds_of_torch_serve_a_gpu_node():
    """A build named +cpu would not run on a GPU, and the published torchvision does not import beside it."""
    for name in ("torch", "torchvision"):
        for entry, _ in locked("requirements.lock")[name]:
            assert "+" not in str(entry.specifier)


def test_conda_and_container_are_filled_from_the_lock():
    environment = yaml.safe_load((ROOT / "envs" / "environment.yaml").read_text())
    assert any(entry.startswith("python") for entry in environment["dependencies"])
    assert not any(isinstance(entry, dict) for entry in environment["dependencies"]), "packages come from the lock"
    for name in ("environment.post-deploy.sh", "maskvos.def"):
        text = (ROOT / "envs" / name).read_text()
        for lock in LOCKS:
            assert re.search(rf"--require-hashes -r \S*{re.escape(lock)}", text), (name, lock)
    definition = (ROOT / "envs" / "maskvos.def").read_text()
    copied = re.findall(r"^ +(envs/\S+) ", definition, re.MULTILINE)
    assert sorted(copied) == sorted(f"envs/{lock}" for lock in LOCKS)


def test_the_container_sees_the_gpu_on_a_cluster(monkeypatch):
    monkeypatch.chdir(ROOT)
    _, args = parse_args(["--profile", "slurm"])
    assert args.apptainer_args == "--nv"


def test_the_conda_environment_changes_with_the_lock():
    """Snakemake's hash of the environment covers the YAML and the script alone."""
    digest = hashlib.sha256((ROOT / "envs" / "requirements.lock").read_bytes()).hexdigest()
    script = (ROOT / "envs" / "environment.post-deploy.sh").read_text()
    assert re.findall(r"^# requirements\.lock: (.*)$", script, re.MULTILINE) == [digest], "run make lock"
    recipe = run_make("--dry-run", "--always-make", "lock", "UV=.uv/bin/uv").stdout
    assert "sha256sum envs/requirements.lock" in recipe and "envs/environment.post-deploy.sh" in recipe


def test_help_is_the_default_and_lists_every_target():
    text = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    listed = re.findall(r"^  make (\w+) +\S", run_make().stdout, re.MULTILINE)
    assert phony is not None
    assert listed == phony[1].split()


def test_an_old_python_is_refused_with_a_clear_message(tmp_path):
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    installer = tmp_path / "uv"
    done = run_make(str(installer), f"UV={installer}", f"PYTHON={old}")
    assert done.returncode == 2
    assert "error: Python 3.11 or newer is needed" in done.stderr
    assert not installer.exists()


def test_continuous_integration_runs_make_test():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert re.search(r"^set -eu$", script.read_text(), re.MULTILINE)
    assert re.search(r"^make test$", script.read_text(), re.MULTILINE)
    assert subprocess.run(["bash", "-n", str(script)]).returncode == 0


def test_test_includes_lint_and_set_up():
    text = (ROOT / "Makefile").read_text()
    assert re.search(r"^test: lint\b", text, re.MULTILINE)
    assert re.search(r"^lint: \$\(READY\)", text, re.MULTILINE)
