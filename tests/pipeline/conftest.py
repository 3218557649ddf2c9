"""A checkout in miniature: the real graph, composition and declared parameters, with quick doubles for the stages."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from maskvos.composition import compose, write_params
from maskvos.orchestration import declared_parameters

ROOT = Path(__file__).resolve().parent.parent.parent
DOUBLE = """import sys

sys.path[:0] = [{root!r}, {here!r}]
PARAMETERS = {parameters!r}
from double import main

main(PARAMETERS)
"""


class Checkout:
    """A copy of what makes the graph, in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subprocess.run(["git", "init", "-q", "-b", "main"], cwd=folder, check=True)
        for name in ("Snakefile", "dvc.yaml", ".dvcignore", ".gitignore"):
            shutil.copy(ROOT / name, folder / name)
        for name in ("rules", "conf", "envs", "hydra_plugins", "profiles"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / ".dvc").mkdir()
        shutil.copy(ROOT / ".dvc" / "config", folder / ".dvc" / "config")
        (folder / "stages").mkdir()
        for script in (ROOT / "stages").glob("*.py"):
            text = DOUBLE.format(
                root=str(ROOT), here=str(Path(__file__).parent), parameters=declared_parameters(script)
            )
            (folder / "stages" / script.name).write_text(text)

    def compose(self, *overrides: str) -> None:
        write_params(compose(ROOT, list(overrides)), self.folder / "params.yaml")

    def call(self, *command: str) -> str:
        """Run a tool of this environment; what it printed."""
        binaries = Path(sys.executable).parent
        environment = {
            **os.environ,
            "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "XDG_CACHE_HOME": str(self.folder / ".cache"),
        }
        answer = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.returncode == 0, f"{command}:\n{answer.stdout}\n{answer.stderr}"
        return answer.stdout + answer.stderr

    def ran(self) -> list[str]:
        """The stages that ran since the last question, sorted."""
        lines = self.folder / "ran.txt"
        names = sorted(lines.read_text().split()) if lines.exists() else []
        lines.unlink(missing_ok=True)
        return names

    def commit(self) -> None:
        git = ["git", "-c", "user.name=test", "-c", "user.email=test@localhost"]
        for words in (["add", "-A"], ["commit", "-q", "-m", "test"]):
            subprocess.run([*git, *words], cwd=self.folder, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)
