"""What Snakemake and the tests of both graphs need: which parameters a stage depends on, and its resources."""

import ast
import json
from pathlib import Path
from typing import Any

from maskvos.errors import UserError

GPU_DEVICES = ("/dev/nvidiactl", "/dev/dxg")  # NVIDIA's driver on Linux, and through Windows (WSL)


def declared_parameters(script: Path) -> tuple[str, ...]:
    """``PARAMETERS`` of a stage script, read without importing it (importing torch would cost every dry run seconds).

    Raises:
        UserError: the script declares none.
    """
    for node in ast.parse(script.read_text()).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id == "PARAMETERS":
            return tuple(ast.literal_eval(node.value))  # type: ignore[attr-defined]
    raise UserError(f"{script}: declares no PARAMETERS, the sections of params.yaml that it reads")


def fetch_parameters(sections: tuple[str, ...], dataset: str) -> tuple[str, ...]:
    """The part of `data` that one dataset's fetch depends on: adding an evaluation set must not fetch the others."""
    entry = "data.train" if dataset == "train" else f"data.evaluation.{dataset}"
    return tuple(part for name in sections for part in (("data.folder", entry) if name == "data" else (name,)))


def tracked(content: dict[str, Any], sections: tuple[str, ...]) -> dict[str, str]:
    """Dotted section name -> its value as JSON: a form that Snakemake records and compares exactly."""
    return {name: json.dumps(_at(content, name), sort_keys=True) for name in sections}


def planned(entries: dict[str, Any], name: str, what: str, remedy: str) -> Any:
    """The entry of the experiment's plan that a target asks for.

    Raises:
        UserError: the plan has none of that name; says which there are.
    """
    if name not in entries:
        raise UserError(f"no {what} '{name}' in this experiment; there are {', '.join(entries) or 'none'}. {remedy}")
    return entries[name]


def _at(content: Any, name: str) -> Any:
    for part in name.split("."):
        content = content[part]
    return content


def has_gpu() -> bool:
    """Whether this machine has an NVIDIA GPU, told by its driver's files: importing torch takes seconds."""
    return any(Path(name).exists() for name in GPU_DEVICES)


def resources(row: dict[str, Any], processes: int = 1, nodes: int = 1) -> dict[str, Any]:
    """A row of rules/resources.yaml for Snakemake; memory grows by half with each retry.

    Args:
        row: of one node; its GPUs are of one process.
        processes: that train on each node, each with the row's GPUs.
        nodes: of Slurm. With several, the stage calls srun by itself: what Snakemake's plugin has the word "mpi" for.
    """

    def mem_mb(wildcards: Any, attempt: int) -> int:
        return row["mem_mb"] * (1 + attempt) // 2

    shared = {key: value for key, value in row.items() if key != "threads"}
    if processes * nodes > 1:
        shared |= {"nodes": nodes, **({"gpu": row["gpu"] * processes * nodes} if "gpu" in row else {})}
    if nodes > 1:
        shared |= {"mpi": "srun", "tasks": nodes, "tasks_per_gpu": 0}  # 0: no tasks for each GPU beside those
    return {**shared, "mem_mb": mem_mb}
